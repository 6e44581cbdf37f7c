import Testing

@testable import MockupPages

@Suite struct BurnDownPlotTests {
  private static func plot(
    year: Int = 2026, budget: Int64 = 100, used: [Int64], held: Int64 = 0, today: Day,
    forecast: Forecast? = nil
  ) -> BurnDownPlot {
    let days = Day.count(inYear: year)
    return BurnDownPlot(
      year: year, budget: budget,
      used: used + Array(repeating: 0, count: days - used.count), held: held, today: today,
      forecast: forecast)
  }

  @Test func `the line has the days that have begun`() {
    let cases: [(year: Int, today: Day, elapsed: Int)] = [
      (2026, Day(year: 2026, month: 1, day: 1), 1),
      (2026, Day(year: 2026, month: 12, day: 31), 365),
      (2028, Day(year: 2028, month: 3, day: 1), 61),
      (2028, Day(year: 2029, month: 5, day: 1), 366),
      (2027, Day(year: 2026, month: 12, day: 31), 0),
    ]
    for (year, today, elapsed) in cases {
      let plot = Self.plot(year: year, used: [1], today: today)
      #expect(plot.elapsed == elapsed, "\(year) on \(today.isoText)")
      #expect(plot.left.count == elapsed)
    }
  }

  @Test func `credits are subtracted from the budget day by day`() {
    let plot = Self.plot(used: [3, 0, -1, 5], today: Day(year: 2026, month: 1, day: 4))
    #expect(plot.left == [97, 97, 98, 93])
  }

  @Test func `the straight line ends at 0 on the last day`() {
    for year in [2026, 2028] {
      let plot = Self.plot(year: year, used: [], today: Day(year: year, month: 1, day: 1))
      #expect(plot.plan(after: 0) == 100)
      #expect(plot.plan(after: Day.count(inYear: year)) == 0)
      #expect(plot.monthEnds.last == Day.count(inYear: year))
    }
  }

  /// Drawings of years that are at a limit: no number of them may be missing or not finite.
  @Test func `every year can be drawn`() {
    let first = Day(year: 2026, month: 1, day: 1)
    let plots: [(name: String, plot: BurnDownPlot)] = [
      ("empty", Self.plot(used: [], today: Day(year: 2026, month: 6, day: 1))),
      ("one day", Self.plot(used: [4], today: first)),
      ("before it begins", Self.plot(year: 2027, used: [], today: first)),
      ("exhausted", Self.plot(used: [100], today: first, forecast: .exhausted)),
      ("overdrawn", Self.plot(budget: 10, used: [40], today: first, forecast: .exhausted)),
      ("budget 0", Self.plot(budget: 0, used: [], today: first, forecast: .noBudget)),
      ("leap year", Self.plot(year: 2028, used: [1], today: Day(year: 2028, month: 12, day: 31))),
      (
        "largest budget",
        Self.plot(
          budget: Int64(Int32.max), used: [7], held: 9, today: first,
          forecast: .lasts(left: 2_000_000_000))
      ),
      (
        "out on the last day",
        Self.plot(
          used: [50], held: 50, today: first,
          forecast: .runsOut(Day(year: 2026, month: 12, day: 31)))
      ),
    ]
    for (name, plot) in plots {
      let markup = plot.markup
      #expect(!markup.contains("nan") && !markup.contains("inf"), "\(name)")
      #expect(markup.components(of: "<svg ") == 2, "\(name)")
      #expect(markup.components(of: "<title id=") == 2, "\(name)")
      let hasLine = plot.elapsed > 0
      #expect(markup.contains("left-line") == hasLine, "\(name)")
    }
  }

  @Test func `the day on which credits run out is marked`() {
    let plot = Self.plot(
      used: [50], today: Day(year: 2026, month: 1, day: 1),
      forecast: .runsOut(Day(year: 2026, month: 4, day: 9)))
    #expect(plot.markup.contains(">9 Apr<"))
    #expect(plot.markup.contains("class=\"forecast\""))
  }
}

extension String {
  /// Returns the number of times a text occurs.
  func components(of text: String) -> Int { ranges(of: text).count }
}
