/// The credits that were used in each month of a year, against the month's soft limit.
struct MonthsPlot {
  /// A month's credits.
  struct Month {
    /// The used credits, refunds subtracted.
    var used: Int64
    /// The credits that open reservations of the month hold.
    var held: Int64
  }

  var year: Int
  var months: [Month]
  var softLimit: Int64

  /// The plot as elements of HTML.
  var markup: String { PlotSize.both(draw) }

  private func draw(_ size: PlotSize) -> String {
    let most = months.map { max($0.used, 0) + $0.held }.max() ?? 0
    let area = PlotArea(size, maximum: max(most, softLimit))
    let above = months.indices.filter { months[$0].used + months[$0].held > softLimit }
    let names = above.map { Day.monthNames[$0] }.joined(separator: ", ")
    var svg = SVG(
      id: "months-\(size.rawValue)", width: size.width, height: size.height,
      title: "Credits used in each month of \(year)",
      description: "The soft limit is \(Display.count(softLimit, "credit")) a month. "
        + (above.isEmpty ? "No month is above it." : "Above it: \(names).")
        + " The table has each month.")
    area.drawGrid(&svg)
    let slot = (area.right - area.left) / 12
    for (index, month) in months.enumerated() {
      let x = area.left + slot * (Double(index) + 0.15)
      draw(month, at: x, width: slot * 0.7, name: Day.monthNames[index], in: area, &svg)
      svg.text(
        String(Day.monthNames[index].prefix(size == .wide ? 3 : 1)),
        at: (x + slot * 0.35, area.bottom + 16), anchor: .middle)
    }
    drawLimit(in: area, &svg)
    drawValues(in: area, &svg)
    return svg.markup
  }

  private func drawLimit(in area: PlotArea, _ svg: inout SVG) {
    let limit = area.y(Double(softLimit))
    svg.line("plan", from: (area.left, limit), to: (area.right, limit))
    svg.text("soft limit", at: (area.right, limit - 5), anchor: .end)
  }

  /// Draws the numbers, over the line of the soft limit.
  private func drawValues(in area: PlotArea, _ svg: inout SVG) {
    let slot = (area.right - area.left) / 12
    for (index, month) in months.enumerated() where month.used + month.held > 0 {
      let credits = month.used + month.held
      svg.text(
        Display.number(credits),
        at: (area.left + slot * (Double(index) + 0.5), area.y(Double(credits)) - 4),
        anchor: .middle, credits > softLimit ? "value over-text" : "value")
    }
  }

  private func draw(
    _ month: Month, at x: Double, width: Double, name: String, in area: PlotArea, _ svg: inout SVG
  ) {
    let used = Double(max(month.used, 0))
    let held = Double(month.held)
    let limit = Double(softLimit)
    let tip =
      "\(name): \(Display.number(month.used)) used"
      + (month.held > 0 ? ", \(Display.number(month.held)) held" : "")
    func bar(_ name: String, from low: Double, to high: Double) {
      svg.rect(
        name, x: x, y: area.y(high), width: width, height: area.y(low) - area.y(high), tip: tip)
    }
    bar("used", from: 0, to: min(used, limit))
    bar("over", from: min(used, limit), to: used)
    bar("held", from: used, to: used + held)
  }
}
