/// A bar of the chart of monthly usage.
enum UsageBar {
  /// The length of the longest bar, in characters.
  private static let width: Int64 = 30

  /// Returns a bar with full blocks for used credits, then light blocks for held credits.
  ///
  /// A block stands for a thirtieth of `most`; a number above 0 has at least one block.
  static func text(used: Int64, held: Int64, of most: Int64) -> String {
    func blocks(_ credits: Int64) -> Int {
      guard credits > 0, most > 0 else { return 0 }
      return max(Int((Double(credits) / Double(most) * Double(width)).rounded()), 1)
    }
    return String(repeating: "█", count: blocks(used))
      + String(repeating: "░", count: blocks(held))
  }
}
