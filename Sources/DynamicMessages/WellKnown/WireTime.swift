extension String {
  /// Formats a `google.protobuf.Timestamp` by RFC 3339 in UTC, as proto3's JSON mapping does.
  ///
  /// The fraction has 0, 3, 6 or 9 digits. The result is `nil` before the year 1 and after 9999.
  public init?(timestampSeconds seconds: Int64, nanoseconds: Int32) {
    let time = WireTime(seconds: seconds, nanoseconds: nanoseconds)
    guard let text = time.timestamp else { return nil }
    self = text
  }
}

/// Seconds and nanoseconds, as `Timestamp` and `Duration` have them.
struct WireTime: Equatable {
  private static let timestamps: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
  private static let longestDuration: Int64 = 315_576_000_000

  var seconds: Int64 = 0
  var nanoseconds: Int32 = 0

  init(seconds: Int64, nanoseconds: Int32) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  init(_ records: [(number: Int, value: WireValue)]) {
    for case (let number, .varint(let bits)) in records {
      if number == 1 { seconds = Int64(bitPattern: bits) }
      if number == 2 { nanoseconds = Int32(truncatingIfNeeded: bits) }
    }
  }

  var bytes: [UInt8] {
    var writer = WireWriter()
    if seconds != 0 { writer.field(1, .varint(UInt64(bitPattern: seconds))) }
    if nanoseconds != 0 { writer.field(2, .varint(UInt64(bitPattern: Int64(nanoseconds)))) }
    return writer.bytes
  }

  // MARK: - Durations

  /// Reads what looks like `-1.5s`.
  init?(duration text: String) {
    var scanner = TimeScanner(text)
    let isNegative = scanner.take("-")
    guard let seconds = scanner.number(digits: 1...12), seconds <= Self.longestDuration,
      let fraction = scanner.fraction(), scanner.take("s"), scanner.isAtEnd,
      seconds < Self.longestDuration || fraction == 0
    else { return nil }
    self.init(
      seconds: isNegative ? -seconds : seconds, nanoseconds: isNegative ? -fraction : fraction)
  }

  /// Nothing, where it is out of range or has two signs.
  var duration: String? {
    guard -Self.longestDuration...Self.longestDuration ~= seconds,
      -999_999_999...999_999_999 ~= nanoseconds,
      seconds == 0 || nanoseconds == 0 || (seconds < 0) == (nanoseconds < 0)
    else { return nil }
    let sign = seconds < 0 || nanoseconds < 0 ? "-" : ""
    return "\(sign)\(seconds.magnitude)\(Self.fraction(nanoseconds))s"
  }

  // MARK: - Timestamps

  /// Parses an RFC 3339 time with any offset; leap seconds are not accepted.
  init?(timestamp text: String) {
    var scanner = TimeScanner(text)
    guard let year = scanner.number(digits: 4...4), scanner.take("-"),
      let month = scanner.number(digits: 2...2, in: 1...12), scanner.take("-"),
      let day = scanner.number(digits: 2...2, in: 1...CivilDate.days(in: month, of: year)),
      scanner.take("T"),
      let hour = scanner.number(digits: 2...2, in: 0...23), scanner.take(":"),
      let minute = scanner.number(digits: 2...2, in: 0...59), scanner.take(":"),
      let second = scanner.number(digits: 2...2, in: 0...59),
      let fraction = scanner.fraction(), let offset = scanner.offset(), scanner.isAtEnd
    else { return nil }
    let days = CivilDate(year: year, month: month, day: day).daysSince1970
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    guard Self.timestamps ~= seconds else { return nil }
    self.init(seconds: seconds, nanoseconds: fraction)
  }

  /// The time in UTC; nothing, where it is out of range.
  var timestamp: String? {
    guard Self.timestamps ~= seconds, 0...999_999_999 ~= nanoseconds else { return nil }
    let ofDay = ((seconds % 86_400) + 86_400) % 86_400
    let date = CivilDate(daysSince1970: (seconds - ofDay) / 86_400)
    let day = [Self.padded(date.year, 4), Self.padded(date.month, 2), Self.padded(date.day, 2)]
    let time = [ofDay / 3600, ofDay / 60 % 60, ofDay % 60].map { Self.padded($0, 2) }
    return day.joined(separator: "-") + "T" + time.joined(separator: ":")
      + Self.fraction(nanoseconds) + "Z"
  }

  /// None, or three, six or nine digits behind a point.
  private static func fraction(_ nanoseconds: Int32) -> String {
    guard nanoseconds != 0 else { return "" }
    let digits = padded(Int64(nanoseconds.magnitude), 9)
    if digits.hasSuffix("000000") { return "." + digits.prefix(3) }
    if digits.hasSuffix("000") { return "." + digits.prefix(6) }
    return "." + digits
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.count, 0)) + digits
  }
}
