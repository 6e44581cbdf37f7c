internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Budget: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show or set a user's annual budget and monthly soft limit.",
    discussion: """
      A value that is not given stays unchanged; without any, both are shown. A budget below the \
      credits that are already spent leaves no credits available. Setting them requires the role \
      admin; the server records each change with the uid of the caller.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Option(
    parsing: .unconditional, help: "The annual budget in credits, a hard limit.",
    transform: Int.atLeast(0))
  var annual: Int?

  @Option(
    parsing: .unconditional,
    help: "The monthly soft limit in credits; exceeding it only sets soft_limit_passed.",
    transform: Int.atLeast(0))
  var monthly: Int?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      guard annual != nil || monthly != nil else {
        let usage = try await client.credits.usage(of: user)
        try await connection.output.write(
          Record([
            "annual_budget": .number(usage.annualBudget),
            "monthly_soft_limit": .number(usage.monthlySoftLimit),
            "total_used": .number(usage.totalUsed),
            "held": .number(usage.held),
            "remaining_annual": .number(usage.remainingAnnual),
            "soft_limit_passed": .flag(usage.softLimitPassed),
          ]))
        return
      }
      let response = try await client.admin.setBudget(of: user, annual: annual, monthly: monthly)
      let usage = response.usage ?? CreditUsage()
      try await connection.output.write(
        Record([
          "annual_budget": .number(usage.annualBudget),
          "previous_annual_budget": .number(response.previousAnnualBudget),
          "monthly_soft_limit": .number(usage.monthlySoftLimit),
          "previous_monthly_soft_limit": .number(response.previousMonthlySoftLimit),
          "total_used": .number(usage.totalUsed),
          "held": .number(usage.held),
          "remaining_annual": .number(usage.remainingAnnual),
          "soft_limit_passed": .flag(usage.softLimitPassed),
        ]))
    }
  }
}
