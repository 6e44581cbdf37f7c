import Testing

@testable import MockupPages

@Suite struct ForecastTests {
  private struct Case: Sendable {
    var name: String
    var budget: Int64
    var available: Int64
    var spent: Int64
    var today: Day
    var forecast: Forecast
  }

  private static let cases = [
    Case(
      name: "no budget", budget: 0, available: 0, spent: 30, today: day(2026, 3, 1),
      forecast: .noBudget),
    Case(
      name: "a budget lowered to 0", budget: 0, available: -12, spent: 30,
      today: day(2026, 3, 1), forecast: .noBudget),
    Case(
      name: "exhausted", budget: 100, available: 0, spent: 30, today: day(2026, 3, 1),
      forecast: .exhausted),
    Case(
      name: "overdrawn", budget: 100, available: -5, spent: 30, today: day(2026, 3, 1),
      forecast: .exhausted),
    Case(
      name: "no use", budget: 100, available: 100, spent: 0, today: day(2026, 3, 1),
      forecast: .idle),
    Case(
      name: "more refunded than spent", budget: 100, available: 100, spent: -4,
      today: day(2026, 3, 1), forecast: .idle),
    Case(
      name: "one credit a day", budget: 100, available: 15, spent: 30,
      today: day(2026, 11, 29), forecast: .runsOut(day(2026, 12, 14))),
    Case(
      name: "less than a day left", budget: 100, available: 1, spent: 60,
      today: day(2026, 11, 29), forecast: .runsOut(day(2026, 11, 29))),
    Case(
      name: "across the end of February in a leap year", budget: 100, available: 2, spent: 30,
      today: day(2028, 2, 28), forecast: .runsOut(day(2028, 3, 1))),
    Case(
      name: "across the end of February in another year", budget: 100, available: 2, spent: 30,
      today: day(2027, 2, 27), forecast: .runsOut(day(2027, 3, 1))),
    Case(
      name: "out on the last day", budget: 100, available: 32, spent: 30,
      today: day(2026, 11, 29), forecast: .runsOut(day(2026, 12, 31))),
    Case(
      name: "one more credit lasts", budget: 100, available: 33, spent: 30,
      today: day(2026, 11, 29), forecast: .lasts(left: 1)),
    Case(
      name: "the last day of the year", budget: 100, available: 5, spent: 30,
      today: day(2026, 12, 31), forecast: .lasts(left: 5)),
    Case(
      name: "the largest numbers", budget: .max, available: .max, spent: 1,
      today: day(9999, 1, 1), forecast: .lasts(left: .max - 13)),
    Case(
      name: "the largest use", budget: .max, available: .max, spent: .max,
      today: day(2026, 1, 1), forecast: .runsOut(day(2026, 1, 31))),
  ]

  private static func day(_ year: Int, _ month: Int, _ day: Int) -> Day {
    Day(year: year, month: month, day: day)
  }

  @Test func `a forecast continues the use of the last days`() {
    for item in Self.cases {
      let forecast = Forecast(
        budget: item.budget, available: item.available, spent: item.spent, today: item.today)
      #expect(forecast == item.forecast, "\(item.name)")
    }
  }

  @Test func `a forecast names the day and the rate`() {
    let forecast = Forecast.runsOut(Self.day(2026, 12, 14))
    #expect(
      forecast.sentence(spent: 45)
        == "Out on 14 December 2026 at the last 30 days\u{2019} rate of 1.5 a day.")
  }
}
