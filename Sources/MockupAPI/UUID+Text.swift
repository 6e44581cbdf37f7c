public import FoundationEssentials

// Not by Foundation, which reads a pair of digits as C does ("+8", " 8" and "0x" pass for one), writes
// capitals, and takes longer for either than a call spends on everything else in its request.

extension UUID {
  /// The 36 characters by which ids travel, in lower case.
  public var wireText: String {
    let (high, low) = halves
    var characters = InlineArray<36, UInt8>(repeating: UInt8(ascii: "-"))
    var place = 0
    for digit in 0..<32 {
      if Self.isHyphen(place) { place += 1 }
      let half = digit < 16 ? high : low
      let value = UInt8(truncatingIfNeeded: half >> UInt64(60 - digit % 16 * 4)) & 0xf
      characters[place] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
      place += 1
    }
    guard let text = try? UTF8Span(validating: characters.span) else {
      preconditionFailure("digits and hyphens are UTF-8")
    }
    return String(copying: text)
  }

  /// An id from its 36 characters, in either case, or nothing where they are none.
  public init?(wireText text: String) {
    guard text.utf8.count == 36 else { return nil }
    var (high, low): (UInt64, UInt64) = (0, 0)
    var place = 0
    for character in text.utf8 {
      let digit: UInt8
      switch character {
      case UInt8(ascii: "-"):
        guard Self.isHyphen(place) else { return nil }
        place += 1
        continue
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = character - UInt8(ascii: "A") + 10
      default: return nil
      }
      guard !Self.isHyphen(place) else { return nil }
      high = high << 4 | low >> 60
      low = low << 4 | UInt64(digit)
      place += 1
    }
    self.init(high: high, low: low)
  }

  private static func isHyphen(_ place: Int) -> Bool {
    place == 8 || place == 13 || place == 18 || place == 23
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
    func byte(_ number: UInt64, _ place: UInt64) -> UInt8 {
      UInt8(truncatingIfNeeded: number >> (56 - place * 8))
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
