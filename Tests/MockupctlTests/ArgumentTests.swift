import FoundationEssentials
import MockupClient
import Testing

@testable import mockupctl

/// The values of arguments and options.
@Suite struct ArgumentTests {
  @Test func `a user is an id or a label without hidden characters`() throws {
    let id = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
    #expect(UserArgument(argument: id) == .id(try #require(UUID(uuidString: id))))
    #expect(UserArgument(argument: "ann@example.com") == .label("ann@example.com"))
    #expect(UserArgument(argument: "Ann Lee") == .label("Ann Lee"))
    for text in ["", "-5", "--all", "a\nb", "\u{1b}[2J"] {
      #expect(UserArgument(argument: text) == nil, "\(text)")
    }
  }

  @Test func `a day has a year of four digits, and a month and a day of two`() {
    #expect(DayArgument(argument: "2026-03-01")?.date == CivilDate(year: 2026, month: 3, day: 1))
    for text in [
      "2026-02-29", "2026-13-01", "2026-3-001", "+026-03-01", "2026-03", "20260301", "monday",
    ] {
      #expect(DayArgument(argument: text) == nil, "\(text)")
    }
  }

  @Test func `a month has a year of four digits and a number of two`() {
    let month = MonthArgument(argument: "2026-03")
    #expect(month?.year == 2026)
    #expect(month?.month == 3)
    for text in ["2026-13", "2026-00", "2026-3", "0000-01", "26-03", "2026-03-01", "march"] {
      #expect(MonthArgument(argument: text) == nil, "\(text)")
    }
  }
}
