internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Usage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show credits, budget, used, held, remaining: a user's, or everybody's.",
    discussion: """
      Without a user it is a report over all of them, which takes an admin or a reader, with a last \
      line for what they come to. With --by-month it is a year, of one user or of all together, with \
      a bar for each month: what was used, and, lighter, what is held.
      """)

  @Argument(help: "The user's id. (default: all users)")
  var user: UUID?

  @Option(parsing: .unconditional, help: "The year. (default: this one)", transform: Int.atLeast(1))
  var year: Int?

  @Option(
    parsing: .unconditional, help: "The month, 1 to 12. (default: this one's number)",
    transform: Int.atLeast(1))
  var month: Int?

  @Flag(help: "Each month of the year.")
  var byMonth = false

  @Option(help: "Who of all users comes first.")
  var order = ReportOrder.user

  @Flag(help: "Of all users, only those who used or hold something in the year.")
  var active = false

  @Flag(help: "Of all users, only those whose month is above its soft limit.")
  var softLimitPassed = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Of all users, only those with at most so many credits available.", valueName: "credits"))
  var availableAtMost: Int?

  @OptionGroup var connection: Connection

  func validate() throws {
    let filters = order != .user || active || softLimitPassed || availableAtMost != nil
    if filters, user != nil {
      throw ValidationError("--order and the filters are for all users, not for one")
    }
    if byMonth, month != nil {
      throw ValidationError("--by-month shows every month: it cannot be combined with --month")
    }
  }

  func run() async throws {
    try await connection.run { client in
      if byMonth {
        try await writeByMonth(client)
      } else if let user {
        try await connection.output.write(
          Record(try await client.credits.usage(of: user, year: year, month: month)))
      } else {
        try await writeReport(client)
      }
    }
  }

  /// What is asked for of all users.
  func report(_ client: MockupClient, month: Int?) throws -> UsageReport {
    try client.admin.usageReport(
      year: year, month: month, order: order.value, activeOnly: active,
      softLimitPassedOnly: softLimitPassed, availableAtMost: availableAtMost)
  }

  private func writeReport(_ client: MockupClient) async throws {
    var users: [Record] = []
    var totals = UsageTotals()
    for try await page in try report(client, month: month).pages {
      users += page.users.map { Record($0) }
      // Those of the first page and of the last differ where somebody has spent meanwhile.
      totals = page.totals ?? UsageTotals()
    }
    try await connection.output.write(
      users, named: "users", below: Record(totals), named: "totals")
  }
}

/// The order of a report on the command line.
enum ReportOrder: String, ExpressibleByArgument, CaseIterable {
  case user
  case used
  case held
  case available
  case monthlyUsed = "monthly-used"

  var value: UsageOrder {
    switch self {
    case .user: .unspecified
    case .used: .used
    case .held: .held
    case .available: .available
    case .monthlyUsed: .monthlyUsed
    }
  }
}
