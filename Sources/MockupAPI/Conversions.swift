public import FoundationEssentials

extension Timestamp {
  /// Creates a timestamp from a date, rounded to the nearest microsecond, and clamped to the years
  /// 1 to 9999 that Protocol Buffers permits.
  ///
  /// `nanos` is never negative, as Protocol Buffers requires: a fraction of a second before 1970
  /// counts forward from the earlier second.
  public init(_ date: Date) {
    let time = min(max(date.timeIntervalSince1970, -62_135_596_800), 253_402_300_799)
    let microseconds = Int64((time * 1_000_000).rounded())
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

extension CivilDate {
  /// Creates the day that is a number of days after 1 January 1970.
  ///
  /// The algorithm is `civil_from_days` of Howard Hinnant's "chrono-Compatible Low-Level Date
  /// Algorithms".
  ///
  /// - Parameter dayNumber: The number of days, which is negative for a day before 1970. The day
  ///   must be in the years 1 to 9999.
  public init(dayNumber: Int) {
    let shifted = dayNumber + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    self.init(
      year: Int32(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), month: Int32(month),
      day: Int32(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))
  }

  /// The number of days since 1 January 1970; `nil` if there is no such day in the years 1 to 9999.
  ///
  /// The algorithm is `days_from_civil` of the same source.
  public var dayNumber: Int? {
    guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else {
      return nil
    }
    let (month, day) = (Int(month), Int(day))
    let shifted = month <= 2 ? Int(year) - 1 : Int(year)
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let number = era * 146_097 + dayOfEra - 719_468
    // 31 April, for example, would be 1 May.
    return CivilDate(dayNumber: number) == self ? number : nil
  }
}

// Foundation's conversions are not used. Its parser accepts "+8", " 8" and "0x" as pairs of digits,
// its formatter writes upper case, and each takes longer than the rest of a request's decoding.

extension UUID {
  /// The text form of the id in requests and responses: 36 characters, in lower case.
  public var wireText: String {
    let (high, low) = halves
    var characters = InlineArray<36, UInt8>(repeating: UInt8(ascii: "-"))
    var position = 0
    for digit in 0..<32 {
      if Self.isHyphen(position) { position += 1 }
      let half = digit < 16 ? high : low
      let value = UInt8(truncatingIfNeeded: half >> UInt64(60 - digit % 16 * 4)) & 0xf
      characters[position] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
      position += 1
    }
    guard let text = try? UTF8Span(validating: characters.span) else {
      preconditionFailure("digits and hyphens are UTF-8")
    }
    return String(copying: text)
  }

  /// Creates an id from its text form of 36 characters, in lower or upper case.
  ///
  /// - Returns: `nil` if the text is not a UUID in this form.
  public init?(wireText text: String) {
    guard text.utf8.count == 36 else { return nil }
    var (high, low): (UInt64, UInt64) = (0, 0)
    var position = 0
    for character in text.utf8 {
      let digit: UInt8
      switch character {
      case UInt8(ascii: "-"):
        guard Self.isHyphen(position) else { return nil }
        position += 1
        continue
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = character - UInt8(ascii: "A") + 10
      default: return nil
      }
      guard !Self.isHyphen(position) else { return nil }
      high = high << 4 | low >> 60
      low = low << 4 | UInt64(digit)
      position += 1
    }
    self.init(high: high, low: low)
  }

  private static func isHyphen(_ position: Int) -> Bool {
    position == 8 || position == 13 || position == 18 || position == 23
  }
}

extension UUID {
  private var halves: (high: UInt64, low: UInt64) {
    func number(_ bytes: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8)) -> UInt64 {
      let high =
        UInt64(bytes.0) << 56 | UInt64(bytes.1) << 48 | UInt64(bytes.2) << 40
        | UInt64(bytes.3) << 32
      let low =
        UInt64(bytes.4) << 24 | UInt64(bytes.5) << 16 | UInt64(bytes.6) << 8 | UInt64(bytes.7)
      return high | low
    }
    let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) = uuid
    return (number((a, b, c, d, e, f, g, h)), number((i, j, k, l, m, n, o, p)))
  }

  private init(high: UInt64, low: UInt64) {
    func byte(_ number: UInt64, _ position: UInt64) -> UInt8 {
      UInt8(truncatingIfNeeded: number >> (56 - position * 8))
    }
    self.init(
      uuid: (
        byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3),
        byte(high, 4), byte(high, 5), byte(high, 6), byte(high, 7),
        byte(low, 0), byte(low, 1), byte(low, 2), byte(low, 3),
        byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7)
      ))
  }
}
