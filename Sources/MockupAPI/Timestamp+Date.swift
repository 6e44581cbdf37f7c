public import FoundationEssentials

extension Timestamp {
  /// Creates a timestamp from a date, rounded to the nearest microsecond.
  ///
  /// `nanos` is never negative, as Protocol Buffers requires: a fraction of a second before 1970
  /// counts forward from the earlier second.
  public init(_ date: Date) {
    let microseconds = Int64((date.timeIntervalSince1970 * 1_000_000).rounded())
    let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    let isBefore = rest < 0
    self.init(
      seconds: isBefore ? seconds - 1 : seconds,
      nanos: Int32((isBefore ? rest + 1_000_000 : rest) * 1000))
  }

  /// The date of the timestamp.
  ///
  /// A `Date` is a `Double`: it keeps microseconds, but not nanoseconds.
  public var date: Date {
    Date(timeIntervalSince1970: Double(seconds) + Double(nanos) / 1_000_000_000)
  }
}
