/// A JSON number as an integer, decided by its digits and never by a floating-point number.
enum ExactInteger {
  case value(isNegative: Bool, magnitude: UInt64)
  /// An integer of more than 64 bits.
  case tooLarge
  /// It has a fraction.
  case fraction

  /// - Parameter literal: as JSON writes numbers.
  init(_ literal: String) {
    let isNegative = literal.hasPrefix("-")
    let parts = literal.drop { $0 == "-" }.split(
      maxSplits: 1, omittingEmptySubsequences: false, whereSeparator: { $0 == "e" || $0 == "E" })
    let mantissa = (parts.first ?? "").split(separator: ".", omittingEmptySubsequences: false)
    let fraction = mantissa.count > 1 ? mantissa[1] : ""
    var digits = Array((mantissa.first ?? "").utf8) + Array(fraction.utf8)
    var exponent = Self.exponent(parts.count > 1 ? parts[1] : "0") - fraction.utf8.count
    while digits.last == UInt8(ascii: "0") {
      digits.removeLast()
      exponent += 1
    }
    let significant = digits.drop { $0 == UInt8(ascii: "0") }
    if significant.isEmpty {
      self = .value(isNegative: false, magnitude: 0)
    } else if exponent < 0 {
      self = .fraction
    } else if significant.count + exponent > 20 {
      self = .tooLarge
    } else {
      let all = significant + Array(repeating: UInt8(ascii: "0"), count: exponent)
      let magnitude = UInt64(String(decoding: all, as: UTF8.self))
      self = magnitude.map { .value(isNegative: isNegative, magnitude: $0) } ?? .tooLarge
    }
  }

  /// An exponent; one that no integer can have is as good as a million.
  private static func exponent(_ text: Substring) -> Int {
    let limit = 1_000_000_000
    guard let exponent = Int(text) else { return text.hasPrefix("-") ? -limit : limit }
    return min(max(exponent, -limit), limit)
  }

  func signed(bits: Int) -> Int64? {
    guard case .value(let isNegative, let magnitude) = self else { return nil }
    let limit = UInt64(1) << (bits - 1)
    guard magnitude < limit || isNegative && magnitude == limit else { return nil }
    return isNegative ? Int64(truncatingIfNeeded: 0 &- magnitude) : Int64(magnitude)
  }

  func unsigned(bits: Int) -> UInt64? {
    guard case .value(let isNegative, let magnitude) = self, !isNegative else { return nil }
    return bits == 64 || magnitude >> bits == 0 ? magnitude : nil
  }
}
