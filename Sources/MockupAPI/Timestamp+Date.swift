public import FoundationEssentials

extension Timestamp {
  /// The moment, to the microsecond.
  public init(_ date: Date) {
    let microseconds = Int64((date.timeIntervalSince1970 * 1_000_000).rounded())
    let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    let isBefore = rest < 0
    self.init(
      seconds: isBefore ? seconds - 1 : seconds,
      nanos: Int32((isBefore ? rest + 1_000_000 : rest) * 1000))
  }

  /// The moment.
  public var date: Date {
    Date(timeIntervalSince1970: Double(seconds) + Double(nanos) / 1_000_000_000)
  }
}
