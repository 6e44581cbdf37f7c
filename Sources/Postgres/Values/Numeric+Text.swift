extension Numeric: LosslessStringConvertible {
  /// Reads decimal text: an optional sign, digits, and optionally a point and more digits.
  ///
  /// Also `NaN`, `Infinity` and `-Infinity`, in any case. Nil for everything else, exponents
  /// among it, and beyond ``maximumIntegerDigits`` or ``maximumScale``.
  public init?(_ text: String) {
    switch text.lowercased() {
    case "nan": self = .nan
    case "infinity": self = .infinity
    case "-infinity": self = .negativeInfinity
    default:
      guard let number = Numeric(decimal: text.utf8[...]) else { return nil }
      self = number
    }
  }

  private init?(decimal text: Substring.UTF8View) {
    var unsigned = text
    let sign = text.first
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { unsigned.removeFirst() }
    let parts = unsigned.split(
      separator: UInt8(ascii: "."),
      maxSplits: 1,
      omittingEmptySubsequences: false
    )
    let whole = parts[0].drop { $0 == UInt8(ascii: "0") }
    let fraction = parts.count == 2 ? parts[1] : ""[...].utf8
    let isDecimal: (UInt8) -> Bool = { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard !(parts[0].isEmpty && fraction.isEmpty), parts[0].allSatisfy(isDecimal),
      fraction.allSatisfy(isDecimal), whole.count <= Self.maximumIntegerDigits,
      fraction.count <= Self.maximumScale
    else { return nil }
    // Both parts are filled up to whole groups of four, as seen from the point.
    let wholeGroups = (whole.count + 3) / 4
    let fractionGroups = (fraction.count + 3) / 4
    let zeros = { (count: Int) in [UInt8](repeating: UInt8(ascii: "0"), count: count) }
    let decimals =
      zeros(wholeGroups * 4 - whole.count) + whole
      + fraction + zeros(fractionGroups * 4 - fraction.count)
    let digits = stride(from: 0, to: decimals.count, by: 4).map { start in
      decimals[start..<start + 4].reduce(Int16(0)) { $0 * 10 + Int16($1 - UInt8(ascii: "0")) }
    }
    self.init(
      isNegative: sign == UInt8(ascii: "-"),
      weight: wholeGroups - 1,
      scale: fraction.count,
      digits: digits
    )
  }

  /// The number in decimal, with as many digits after the point as its scale; never an exponent.
  public var description: String {
    switch kind {
    case .notANumber: return "NaN"
    case .infinity: return "Infinity"
    case .negativeInfinity: return "-Infinity"
    case .finite: break
    }
    var text = isNegative ? "-" : ""
    if weight < 0 {
      text += "0"
    } else {
      text += String(digit(ofWeight: weight))
      for power in stride(from: weight - 1, through: 0, by: -1) { text += group(power) }
    }
    guard scale > 0 else { return text }
    let fraction = (1...(scale + 3) / 4).map { group(-$0) }.joined()
    return text + "." + fraction.prefix(scale)
  }

  private func digit(ofWeight power: Int) -> Int16 {
    let index = weight - power
    return digits.indices.contains(index) ? digits[index] : 0
  }

  private func group(_ power: Int) -> String {
    let text = String(digit(ofWeight: power))
    return String(repeating: "0", count: 4 - text.count) + text
  }
}
