internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct UsageHistory: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the credits that a user reserved, spent and got back in each day or month.",
    discussion: """
      Requires the role admin or reader. Days and months are in UTC. A month has the ledger \
      entries that are charged to it; a day has the entries that were written on it.
      """)

  @Argument(help: "The user's id or label.")
  var user: UserArgument

  @Option(help: "The length of the intervals.")
  var by = UsageGranularityArgument.month

  @Option(
    help: ArgumentHelp(
      "The first day, YYYY-MM-DD. (default: the first day of the year of --through)",
      valueName: "day"))
  var from: DayArgument?

  @Option(help: ArgumentHelp("The last day. (default: today)", valueName: "day"))
  var through: DayArgument?

  @OptionGroup var connection: Connection

  private var last: CivilDate { through?.date ?? DayArgument.today }
  private var first: CivilDate { from?.date ?? CivilDate(year: last.year, month: 1, day: 1) }

  func validate() throws {
    guard let first = first.dayNumber, let last = last.dayNumber, first > last else { return }
    throw ValidationError(
      through == nil ? "--from is after today" : "--through is before --from")
  }

  func run() async throws {
    try await connection.run { client in
      let intervals = try await client.admin.usageHistory(
        of: try await user.id(client), by: by.value, from: first, through: last)
      try await connection.output.write(intervals.map { Record($0, by.value) })
    }
  }
}

/// The length of the intervals of a usage history, on the command line.
enum UsageGranularityArgument: String, ExpressibleByArgument, CaseIterable {
  case day
  case month

  var value: UsageGranularity {
    switch self {
    case .day: .day
    case .month: .month
    }
  }
}

/// A day on the command line, such as `2026-03-01`.
struct DayArgument: ExpressibleByArgument {
  let date: CivilDate

  init?(argument: String) {
    guard let match = argument.wholeMatch(of: /([0-9]{4})-([0-9]{2})-([0-9]{2})/),
      let year = Int32(match.1), let month = Int32(match.2), let day = Int32(match.3)
    else { return nil }
    date = CivilDate(year: year, month: month, day: day)
    guard date.dayNumber != nil else { return nil }
  }

  /// The current day in UTC.
  static var today: CivilDate {
    CivilDate(dayNumber: Int((Date().timeIntervalSince1970 / 86_400).rounded(.down)))
  }
}

extension Record {
  init(_ interval: UsageInterval, _ granularity: UsageGranularity) {
    let date = interval.firstDay ?? CivilDate()
    func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let month = "\(date.year)-\(padded(date.month))"
    self.init([
      granularity == .month ? "month" : "day":
        .text(granularity == .month ? month : "\(month)-\(padded(date.day))"),
      "generation": .number(interval.generation),
      "regeneration": .number(interval.regeneration),
      "refund": .number(interval.refund),
      "used": .number(interval.used),
      "reserved": .number(interval.reserved),
      "released": .number(interval.released),
    ])
  }
}
