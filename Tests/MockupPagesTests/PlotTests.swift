import Testing

@testable import MockupPages

@Suite struct PlotTests {
  @Test func `the grid has at most six lines at round numbers`() {
    let cases: [(range: Double, step: Double)] = [
      (1, 1), (5, 1), (6, 2), (10, 2), (11, 5), (25, 5), (26, 10), (3500, 1000),
      (Double(Int32.max), 500_000_000),
    ]
    for (range, step) in cases { #expect(PlotArea.step(range) == step, "\(range)") }
  }

  @Test func `an area contains its values`() {
    for (minimum, maximum) in [(0, 0), (0, 1), (-40, 0), (-3, 10), (0, 3501)] as [(Int64, Int64)] {
      let area = PlotArea(.wide, minimum: minimum, maximum: maximum)
      #expect(area.y(Double(minimum)) <= area.bottom, "\(minimum)...\(maximum)")
      #expect(area.y(Double(maximum)) >= area.top, "\(minimum)...\(maximum)")
      #expect(area.y(0).isFinite)
    }
  }

  @Test func `a month's bar is divided at the soft limit`() {
    func classes(used: Int64, held: Int64, limit: Int64) -> [String] {
      let empty = MonthsPlot.Month(used: 0, held: 0)
      let plot = MonthsPlot(
        year: 2026,
        months: [MonthsPlot.Month(used: used, held: held)] + Array(repeating: empty, count: 11),
        softLimit: limit)
      return ["used", "over", "held"].filter { plot.markup.contains("<rect class=\"\($0)\"") }
    }
    #expect(classes(used: 5, held: 0, limit: 10) == ["used"])
    #expect(classes(used: 10, held: 0, limit: 10) == ["used"])
    #expect(classes(used: 11, held: 0, limit: 10) == ["used", "over"])
    #expect(classes(used: 11, held: 2, limit: 10) == ["used", "over", "held"])
    #expect(classes(used: 3, held: 0, limit: 0) == ["over"])
    #expect(classes(used: -3, held: 0, limit: 10) == [])
  }

  @Test func `holds are counted by age and state`() {
    let holds = [
      HoldsPlot.Hold(state: .held, credits: 3, age: 900),
      HoldsPlot.Hold(state: .dispatched, credits: 2, age: 901),
      HoldsPlot.Hold(state: .unresolved, credits: 4, age: 604_801),
      HoldsPlot.Hold(state: .unresolved, credits: 1, age: .max),
      // The clock of another server may be ahead.
      HoldsPlot.Hold(state: .held, credits: 1, age: -5),
    ]
    let rows = HoldsPlot(holds).rows
    #expect(rows.map(\.reservations) == [2, 1, 0, 0, 2])
    #expect(rows.map(\.credits) == [4, 2, 0, 0, 5])
    #expect(rows[4].unresolved == 5)
  }

  @Test func `a bar of a budget stays within its width`() {
    let cases: [(used: Int64, held: Int64, budget: Int64)] = [
      (0, 0, 0), (5, 0, 0), (0, 5, 10), (20, 5, 10), (-5, 0, 10),
      (Int64(Int32.max), 1, Int64(Int32.max)),
    ]
    for (used, held, budget) in cases {
      let markup = BudgetBar.markup(used: used, held: held, budget: budget)
      #expect(!markup.contains("nan") && !markup.contains("width=\"-"), "\(used) of \(budget)")
      for match in markup.matches(of: /x="([0-9.]+)" y="0" width="([0-9.]+)"/) {
        let end = try? #require(Double(match.1)) + #require(Double(match.2))
        #expect((end ?? 0) <= 200.1, "\(used) of \(budget)")
      }
    }
  }
}
