internal import ArgumentParser
internal import MockupClient

struct Budget: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show or set a user's annual budget and monthly soft limit.",
    discussion: """
      A value that is not given stays unchanged; without any, both are shown. A budget below the \
      credits that are already spent leaves no credits available. Setting them requires the role \
      admin; the server records each change with the uid of the caller.
      """)

  @Argument(help: "The user's id or label.")
  var user: UserArgument

  @Option(
    parsing: .unconditional, help: "The annual budget in credits, a hard limit.",
    transform: Int.atLeast(0))
  var annual: Int?

  @Option(
    parsing: .unconditional,
    help: "The monthly soft limit in credits; exceeding it only sets soft_limit_passed.",
    transform: Int.atLeast(0))
  var monthly: Int?

  @Flag(help: "Change nothing, and show what the command would do.")
  var dryRun = false

  @OptionGroup var connection: Connection

  func validate() throws {
    guard !dryRun || annual != nil || monthly != nil else {
      throw ValidationError("--dry-run requires --annual or --monthly")
    }
  }

  func run() async throws {
    try await connection.run { client in
      let user = try await user.id(client)
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
      let response = try await client.admin.setBudget(
        of: user, annual: annual, monthly: monthly, validateOnly: dryRun)
      let usage = response.usage ?? CreditUsage()
      var record = Record([
        "annual_budget": .number(usage.annualBudget),
        "previous_annual_budget": .number(response.previousAnnualBudget),
        "monthly_soft_limit": .number(usage.monthlySoftLimit),
        "previous_monthly_soft_limit": .number(response.previousMonthlySoftLimit),
        "total_used": .number(usage.totalUsed),
        "held": .number(usage.held),
        "remaining_annual": .number(usage.remainingAnnual),
        "soft_limit_passed": .flag(usage.softLimitPassed),
      ])
      if dryRun { record.fields.append(("dry_run", .flag(true))) }
      try await connection.output.write(record)
    }
  }
}
