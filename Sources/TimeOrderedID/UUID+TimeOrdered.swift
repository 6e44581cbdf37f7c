public import FoundationEssentials

extension UUID {
  /// Creates a UUID of version 7 (RFC 9562): the Unix time in milliseconds, then 74 random bits.
  ///
  /// A database inserts rows with such ids at the end of an index, and so writes fewer pages than
  /// with random ids. The id reveals the time at which it was created.
  public static func timeOrdered() -> UUID {
    var random = SystemRandomNumberGenerator()
    return timeOrdered(at: Date(), using: &random)
  }

  /// Creates a UUID of version 7 for a time, with a generator's random bits.
  ///
  /// - Parameters:
  ///   - time: The time, from 1970 to the year 10889; other times are clamped to this range.
  ///   - random: The source of the random bits.
  public static func timeOrdered(
    at time: Date, using random: inout some RandomNumberGenerator
  ) -> UUID {
    let milliseconds = UInt64(min(max(time.timeIntervalSince1970 * 1000, 0), 0xffff_ffff_ffff))
    let high = milliseconds << 16 | 0x7000 | random.next() & 0x0fff
    let low = 0x8000_0000_0000_0000 | random.next() >> 2
    func byte(_ half: UInt64, _ place: UInt64) -> UInt8 {
      UInt8(truncatingIfNeeded: half >> (56 - 8 * place))
    }
    return UUID(
      uuid: (
        byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3),
        byte(high, 4), byte(high, 5), byte(high, 6), byte(high, 7),
        byte(low, 0), byte(low, 1), byte(low, 2), byte(low, 3),
        byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7)
      ))
  }
}
