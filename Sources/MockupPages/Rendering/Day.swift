public import MockupClient

/// A day of the Gregorian calendar in UTC.
public struct Day: Sendable, Hashable, Comparable {
  /// The number of days since 1 January 1970.
  public var number: Int

  /// The names of the months.
  static let monthNames = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]

  /// Creates a day from the number of days since 1 January 1970.
  public init(number: Int) {
    self.number = number
  }

  /// Creates a day from its year, its month (1 to 12) and its number in the month.
  ///
  /// - Precondition: There is such a day in the years 1 to 9999.
  public init(year: Int, month: Int, day: Int) {
    let date = CivilDate(year: Int32(year), month: Int32(month), day: Int32(day))
    guard let number = date.dayNumber else { preconditionFailure("\(date) is not a day") }
    self.number = number
  }

  /// Creates the day of a time.
  public init(_ time: Timestamp) {
    let seconds = min(max(time.seconds, -62_135_596_800), 253_402_300_799)
    number = Int((Double(seconds) / 86_400).rounded(.down))
  }

  /// The day as a message.
  public var date: CivilDate { CivilDate(dayNumber: number) }

  /// The year.
  public var year: Int { Int(date.year) }

  /// The month, 1 to 12.
  public var month: Int { Int(date.month) }

  /// The day as `14 December 2026`.
  public var text: String {
    let date = date
    return "\(date.day) \(Self.monthNames[Int(date.month) - 1]) \(date.year)"
  }

  /// The day as `14 Dec`.
  var shortText: String {
    let date = date
    return "\(date.day) \(Self.monthNames[Int(date.month) - 1].prefix(3))"
  }

  /// The day as `2026-12-14`.
  public var isoText: String {
    let date = date
    let (month, day) = (Self.padded(Int(date.month), to: 2), Self.padded(Int(date.day), to: 2))
    return "\(Self.padded(Int(date.year), to: 4))-\(month)-\(day)"
  }

  /// Returns the number of days of a month.
  static func count(inMonth month: Int, of year: Int) -> Int {
    (28...31).last { day in
      CivilDate(year: Int32(year), month: Int32(month), day: Int32(day)).dayNumber != nil
    } ?? 28
  }

  /// Returns the number of days of a year.
  static func count(inYear year: Int) -> Int {
    Day(year: year, month: 12, day: 31).number - Day(year: year, month: 1, day: 1).number + 1
  }

  /// Returns the day a number of days later, or earlier if the number is negative.
  public func advanced(by days: Int) -> Day { Day(number: number + days) }

  /// Orders days by time.
  public static func < (one: Day, other: Day) -> Bool { one.number < other.number }

  static func padded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.count, 0)) + digits
  }
}
