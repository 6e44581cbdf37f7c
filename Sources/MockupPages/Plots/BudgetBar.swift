/// A bar of a budget, with the used and the held credits.
enum BudgetBar {
  /// Returns the bar as an element of HTML.
  ///
  /// The numbers are beside it in the table, so it is not read out. If more is used and held than
  /// the budget has, the bar is scaled to the whole and marks the budget's end.
  static func markup(used: Int64, held: Int64, budget: Int64) -> String {
    let width = 200.0
    var svg = SVG(decorative: "bar", width: Int(width), height: 10)
    let used = Double(max(used, 0))
    let held = Double(max(held, 0))
    let whole = max(Double(max(budget, 0)), used + held)
    let isOver = used + held > Double(max(budget, 0))
    svg.rect("track", x: 0, y: 0, width: width, height: 10)
    if whole > 0 {
      svg.rect(
        isOver ? "used over" : "used", x: 0, y: 0, width: used / whole * width, height: 10)
      svg.rect(
        "held", x: used / whole * width, y: 0, width: held / whole * width, height: 10)
    }
    if isOver, budget > 0 {
      let x = Double(budget) / whole * width
      svg.line("limit", from: (x, 0), to: (x, 10))
    }
    return svg.markup
  }
}
