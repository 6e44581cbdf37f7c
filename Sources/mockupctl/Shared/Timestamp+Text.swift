internal import FoundationEssentials
internal import MockupClient

extension Timestamp {
  /// The time in UTC as RFC 3339 writes it, with all digits of the fraction in groups of three.
  ///
  /// It is `nil` before the year 1 and after the year 9999, which RFC 3339 cannot represent.
  var text: String? {
    guard (-62_135_596_800...253_402_300_799).contains(seconds),
      (0...999_999_999).contains(nanos)
    else { return nil }
    let time = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    var fraction = String(1_000_000_000 + nanos).dropFirst()
    while fraction.hasSuffix("000") { fraction = fraction.dropLast(3) }
    return fraction.isEmpty ? time : "\(time.dropLast()).\(fraction)Z"
  }

  /// The time without its fraction of a second, for tables.
  var inSeconds: Timestamp { Timestamp(seconds: seconds, nanos: 0) }
}
