/// Numbers and texts as the pages show them.
enum Display {
  /// Returns a number with commas between groups of three digits, and a true minus sign.
  static func number(_ number: Int64) -> String {
    var digits = String(number.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    groups.insert(digits, at: 0)
    return (number < 0 ? "\u{2212}" : "") + groups.joined(separator: ",")
  }

  /// Returns a number with its sign.
  static func signed(_ number: Int64) -> String {
    (number > 0 ? "+" : "") + self.number(number)
  }

  /// Returns a number with its noun: `1 credit`, `2 credits`.
  static func count(_ number: Int64, _ noun: String) -> String {
    "\(self.number(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  /// Returns a part of a whole in percent, such as `84 %`; a dash if the whole is 0.
  static func percent(_ part: Int64, of whole: Int64) -> String {
    guard whole > 0 else { return "–" }
    return "\(number(rounded(Double(part) / Double(whole) * 100))) %"
  }

  /// Returns the nearest whole number; the limits of the type for numbers beyond them.
  static func rounded(_ number: Double) -> Int64 {
    guard number.isFinite, number.magnitude < 0x1p63 else { return number < 0 ? .min : .max }
    return Int64(number.rounded())
  }

  /// Returns the first eight characters of an id, which are enough to recognize it on a page.
  static func short(_ id: String) -> String { String(id.prefix(8)) }

  /// Returns a number with at most one digit after the point.
  static func decimal(_ number: Double) -> String {
    let tenths = rounded(number * 10)
    let sign = tenths < 0 ? "\u{2212}" : ""
    let (whole, rest) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
    return sign + self.number(Int64(clamping: whole)) + (rest == 0 ? "" : ".\(rest)")
  }
}
