internal import ArgumentParser
internal import MockupClient

struct Usage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the budget and the used, held and remaining credits of one or all users.",
    discussion: """
      Without a user it reports on all users, with their totals, which requires the role admin or \
      reader. With --by-month it shows a year, of one user or of all users together, with a bar \
      for each month: used credits dark, held credits light. The totals are not part of the \
      formats jsonl and csv.
      """)

  @Argument(help: "The user's id or label. (default: all users)")
  var user: UserArgument?

  @Option(
    parsing: .unconditional, help: "The year. (default: the current year)",
    transform: Int.atLeast(1))
  var year: Int?

  @Option(
    parsing: .unconditional, help: "The month, 1 to 12. (default: the number of the current month)",
    transform: Int.atLeast(1))
  var month: Int?

  @Flag(help: "Show each month of the year.")
  var byMonth = false

  @Option(help: "The order of the report on all users. (default: user)")
  var order: UsageOrderArgument?

  @Flag(help: "Report only on users who used or hold credits in the year.")
  var active = false

  @Flag(help: "Report only on users whose month exceeds its soft limit.")
  var softLimitPassed = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Report only on users with at most this many credits available.", valueName: "credits"))
  var availableAtMost: Int?

  @OptionGroup var connection: Connection

  func validate() throws {
    let filters = order != nil || active || softLimitPassed || availableAtMost != nil
    if filters, user != nil {
      throw ValidationError("--order and the filters cannot be combined with a user")
    }
    if byMonth, month != nil {
      throw ValidationError("--by-month cannot be combined with --month")
    }
    if byMonth, order != nil {
      throw ValidationError("--by-month cannot be combined with --order")
    }
  }

  func run() async throws {
    try await connection.run { client in
      if byMonth {
        try await writeByMonth(client)
      } else if let user {
        try await connection.output.write(
          Record(
            try await client.credits.usage(
              of: try await user.id(client), year: year, month: month)))
      } else {
        try await writeReport(client)
      }
    }
  }

  /// Returns the report on all users for the given options.
  func report(_ client: MockupClient, month: Int?) throws -> UsageReport {
    try client.admin.usageReport(
      year: year, month: month, order: (order ?? .user).value, activeOnly: active,
      softLimitPassedOnly: softLimitPassed, availableAtMost: availableAtMost)
  }

  private func writeReport(_ client: MockupClient) async throws {
    let isTable = connection.output == .table
    var users: [Record] = []
    var totals = UsageTotals()
    for try await page in try report(client, month: month).pages {
      users += page.users.map { isTable ? Record(row: $0) : Record($0) }
      // Each page has the totals of its own moment; those of the last page are shown.
      totals = page.totals ?? UsageTotals()
    }
    try await connection.output.write(
      users, named: "users", columns: Record(UserUsage()), below: Record(totals),
      named: "totals")
  }
}

/// The order of the report on all users, on the command line.
enum UsageOrderArgument: String, ExpressibleByArgument, CaseIterable {
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
