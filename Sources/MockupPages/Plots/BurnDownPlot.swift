/// The credits that were left at the end of each day of a year, against the straight line from the
/// budget to 0.
struct BurnDownPlot {
  /// The year.
  var year: Int
  /// The budget of the year, in credits.
  var budget: Int64
  /// The credits that were used on each day of the year, refunds subtracted.
  var used: [Int64]
  /// The credits that open reservations hold now.
  var held: Int64
  /// The current day; the year's last day or an earlier day is drawn to its end.
  var today: Day
  /// The forecast; `nil` if the year is not the current one.
  var forecast: Forecast?

  /// The days of the year that have begun.
  var elapsed: Int {
    let first = Day(year: year, month: 1, day: 1)
    return min(max(today.number - first.number + 1, 0), Day.count(inYear: year))
  }

  /// The credits left after each day that has begun, before held credits are subtracted.
  var left: [Int64] {
    var left = budget
    return used.prefix(elapsed).map { credits in
      left -= credits
      return left
    }
  }

  /// Returns the credits of the straight line after a number of days.
  func plan(after days: Int) -> Double {
    Double(budget) * (1 - Double(days) / Double(Day.count(inYear: year)))
  }

  /// The numbers of days of the year at the ends of its months.
  var monthEnds: [Int] {
    (1...12).reduce(into: []) { $0.append(($0.last ?? 0) + Day.count(inMonth: $1, of: year)) }
  }

  /// The plot as elements of HTML.
  var markup: String { PlotSize.both(draw) }

  private var description: String {
    guard let last = left.last else { return "The year has not begun." }
    return "\(Display.number(last)) of \(Display.count(budget, "credit")) left after day "
      + "\(elapsed) of the year; the straight line is at "
      + "\(Display.number(Display.rounded(plan(after: elapsed)))). The table has each month."
  }

  private func draw(_ size: PlotSize) -> String {
    let left = left
    let area = PlotArea(
      size, minimum: left.min() ?? 0, maximum: max(budget, left.max() ?? 0))
    var svg = SVG(
      id: "burn-down-\(size.rawValue)", width: size.width, height: size.height,
      title: "Credits left in \(year)", description: description)
    area.drawGrid(&svg)
    drawMonths(&svg, area, size)
    let days = Double(Day.count(inYear: year))
    svg.line("plan", from: (area.x(0), area.y(Double(budget))), to: (area.x(1), area.y(0)))
    guard let last = left.last else { return svg.markup }

    var points = [(area.x(0), area.y(Double(budget)))]
    for (index, credits) in left.enumerated() {
      let end = area.x(Double(index + 1) / days)
      points.append((end, area.y(Double(credits))))
    }
    let corners = [(area.x(Double(left.count) / days), area.y(0)), (area.x(0), area.y(0))]
    svg.polygon("left-area", points + corners)
    svg.polyline("left-line", points)

    let now = area.x(Double(left.count) / days)
    let available = Double(last - held)
    if held > 0 {
      svg.line("held-now", from: (now, area.y(Double(last))), to: (now, area.y(available)))
    }
    drawForecast(&svg, area, from: (now, available), days: days)
    if elapsed < Int(days) { svg.circle("now", at: (now, area.y(available)), radius: 3.5) }
    return svg.markup
  }

  private func drawMonths(_ svg: inout SVG, _ area: PlotArea, _ size: PlotSize) {
    let days = Double(Day.count(inYear: year))
    var start = 0
    for (index, end) in monthEnds.enumerated() {
      let x = area.x(Double(start) / days)
      if index > 0 { svg.line("grid", from: (x, area.top), to: (x, area.bottom)) }
      let middle = area.x((Double(start) + Double(end)) / 2 / days)
      let name = Day.monthNames[index]
      svg.text(
        String(name.prefix(size == .wide ? 3 : 1)), at: (middle, area.bottom + 16),
        anchor: .middle)
      start = end
    }
  }

  private func drawForecast(
    _ svg: inout SVG, _ area: PlotArea, from start: (x: Double, credits: Double), days: Double
  ) {
    let first = Day(year: year, month: 1, day: 1).number
    switch forecast {
    case .runsOut(let day):
      let end = area.x(Double(day.number - first + 1) / days)
      svg.line("forecast", from: (start.x, area.y(start.credits)), to: (end, area.y(0)))
      svg.circle("out", at: (end, area.y(0)), radius: 4)
      let isNearTheEnd = end > area.right - 60
      svg.text(
        day.shortText, at: (end + (isNearTheEnd ? 4 : 6), area.y(0) - 8),
        anchor: isNearTheEnd ? .end : .start, "label strong")
    case .lasts(let left):
      svg.line(
        "forecast", from: (start.x, area.y(start.credits)), to: (area.x(1), area.y(Double(left))))
    case .noBudget, .exhausted, .idle, nil: break
    }
  }
}
