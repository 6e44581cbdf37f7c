internal import MockupAPI
internal import MockupDatabase
internal import TTRPC

// Conversions between the messages of `GetUsageHistory` and the store's values.

extension GetUsageHistoryRequest {
  /// The maximum number of days of a range: a year, and more than the month before it.
  static let maximumDays: Int32 = 400
  /// The maximum number of months of a range.
  static let maximumMonths: Int32 = 120

  /// Returns the query of the history.
  func query() throws(RPCError) -> UsageHistoryQuery {
    let userID = try RequestFields.uuid(userID, "user_id")
    let unit = try unit()
    let first = try number(of: firstDay, unit, "first_day")
    let last = try number(of: lastDay, unit, "last_day")
    guard first <= last else { throw .invalid("last_day", "is before first_day") }
    let (maximum, name) =
      unit == .day ? (Self.maximumDays, "days") : (Self.maximumMonths, "months")
    guard last - first < maximum else {
      throw .invalid("last_day", "makes a range of more than \(maximum) \(name)")
    }
    return UsageHistoryQuery(userID: userID, unit: unit, first: first, last: last)
  }

  private func unit() throws(RPCError) -> UsageHistoryQuery.Unit {
    switch granularity {
    case .unspecified, .day: return .day
    case .month: return .month
    case .unrecognized(let number):
      throw .invalid("granularity", "\(number) is not a supported value")
    }
  }

  private func number(
    of date: CivilDate?, _ unit: UsageHistoryQuery.Unit, _ field: String
  ) throws(RPCError) -> Int32 {
    guard let date else { throw .invalid(field, "is missing") }
    guard let dayNumber = date.dayNumber else { throw .invalid(field, "is not a day") }
    return unit == .day ? Int32(dayNumber) : date.year * 12 + date.month - 1
  }
}

extension GetUsageHistoryResponse {
  init(_ intervals: [UsageHistoryInterval], of query: UsageHistoryQuery) {
    self.init(intervals: intervals.map { MockupAPI.UsageInterval($0, query.unit) })
  }
}

extension MockupAPI.UsageInterval {
  fileprivate init(_ interval: UsageHistoryInterval, _ unit: UsageHistoryQuery.Unit) {
    let firstDay =
      switch unit {
      case .day: CivilDate(dayNumber: Int(interval.number))
      case .month: CivilDate(year: interval.number / 12, month: interval.number % 12 + 1, day: 1)
      }
    self.init(
      firstDay: firstDay, generation: interval.generation, regeneration: interval.regeneration,
      refund: interval.refund, used: interval.used, reserved: interval.reserved,
      released: interval.released)
  }
}
