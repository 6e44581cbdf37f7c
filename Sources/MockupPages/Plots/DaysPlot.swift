/// The credits that were used on each day of a month.
struct DaysPlot {
  var year: Int
  var month: Int
  /// The credits that were used on each day, refunds subtracted.
  var used: [Int64]

  /// The plot as elements of HTML.
  var markup: String { PlotSize.both(draw) }

  private func draw(_ size: PlotSize) -> String {
    let area = PlotArea(size, minimum: used.min() ?? 0, maximum: used.max() ?? 0)
    let name = Day.monthNames[month - 1]
    var svg = SVG(
      id: "days-\(size.rawValue)", width: size.width, height: size.height,
      title: "Credits used on each day of \(name) \(year)",
      description: "The table has each day.")
    area.drawGrid(&svg)
    let slot = (area.right - area.left) / Double(max(used.count, 1))
    for (index, credits) in used.enumerated() {
      let x = area.left + slot * (Double(index) + 0.12)
      let (low, high) = (min(Double(credits), 0), max(Double(credits), 0))
      svg.rect(
        credits < 0 ? "refund" : "used", x: x, y: area.y(high), width: slot * 0.76,
        height: area.y(low) - area.y(high),
        tip: "\(index + 1) \(name): \(Display.number(credits))")
      if index == 0 || (index + 1) % 5 == 0 {
        svg.text("\(index + 1)", at: (x + slot * 0.38, area.bottom + 16), anchor: .middle)
      }
    }
    return svg.markup
  }
}
