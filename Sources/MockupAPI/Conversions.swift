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
    func write(_ number: UInt64, at range: Range<Int>) {
      var rest = number
      for position in range.reversed() {
        characters[position] = Self.character(of: UInt8(truncatingIfNeeded: rest) & 0xf)
        rest >>= 4
      }
    }
    write(high >> 32, at: 0..<8)
    write(high >> 16, at: 9..<13)
    write(high, at: 14..<18)
    write(low >> 48, at: 19..<23)
    write(low, at: 24..<36)
    guard let text = try? UTF8Span(validating: characters.span) else {
      preconditionFailure("digits and hyphens are UTF-8")
    }
    return String(copying: text)
  }

  /// Creates an id from its text form of 36 characters, in lower or upper case.
  ///
  /// - Returns: `nil` if the text is not a UUID in this form.
  public init?(wireText text: String) {
    let characters = text.utf8Span.span
    guard characters.count == 36 else { return nil }
    // The processor could not predict branches that depend on the digits.
    var mistakes: UInt8 = 0
    func read(_ range: Range<Int>) -> UInt64 {
      var number: UInt64 = 0
      for position in range {
        let character = characters[position]
        // 1 for the characters from "@" to DEL, which include the letters.
        let isLetter = character >> 6
        let digit = character & 0xf &+ isLetter &* 9
        mistakes |= digit & 0xf0 | (character | isLetter << 5) ^ Self.character(of: digit)
        number = number << 4 | UInt64(digit)
      }
      return number
    }
    let high = read(0..<8) << 32 | read(9..<13) << 16 | read(14..<18)
    let low = read(19..<23) << 48 | read(24..<36)
    for position in [8, 13, 18, 23] { mistakes |= characters[position] ^ UInt8(ascii: "-") }
    guard mistakes == 0 else { return nil }
    self.init(high: high, low: low)
  }

  /// Returns the character of a hexadecimal digit, without a branch.
  private static func character(of digit: UInt8) -> UInt8 {
    // 39 is the distance between the character after "9" and "a".
    UInt8(ascii: "0") &+ digit &+ (digit &+ 6) >> 4 &* 39
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
