import MockupClient
import Testing

@testable import MockupPages

@Suite struct TextTests {
  @Test func `numbers have commas and true minus signs`() {
    let cases: [(Int64, String)] = [
      (0, "0"), (999, "999"), (1000, "1,000"), (-1234, "\u{2212}1,234"),
      (12_345_678, "12,345,678"), (.min, "\u{2212}9,223,372,036,854,775,808"),
    ]
    for (number, text) in cases { #expect(Display.number(number) == text) }
    #expect(Display.count(1, "credit") == "1 credit")
    #expect(Display.count(0, "credit") == "0 credits")
    #expect(Display.percent(1, of: 0) == "–")
    #expect(Display.percent(2, of: 3) == "67 %")
    #expect(Display.percent(.max, of: 1) == "\(Display.number(.max)) %")
    #expect(Display.decimal(9.96) == "10")
    #expect(Display.decimal(-0.25) == "\u{2212}0.3")
  }

  @Test func `a file of comma-separated values follows RFC 4180`() {
    let line = CSV.line([
      .text("a,b"), .text("say \"x\""), .text("two\r\nlines"), .number(-5), .nothing,
      .plain("-2.5"), .text("\u{1b}[31m"),
    ])
    #expect(
      line == "\"a,b\",\"say \"\"x\"\"\",\"two\r\nlines\",-5,,-2.5,\u{1b}[31m\r\n")
  }

  @Test func `a text that a spreadsheet would calculate is marked as text`() {
    for text in ["=1+1", "+1", "-1", "@x", "\tx"] {
      #expect(CSV.line([.text(text)]).hasPrefix("'"), "\(text)")
    }
    #expect(CSV.line([.text("=HYPERLINK(\"x\",1)")]) == "\"'=HYPERLINK(\"\"x\"\",1)\"\r\n")
    #expect(CSV.line([.text("a=1")]) == "a=1\r\n")
  }

  @Test func `an age has its two largest units`() {
    let cases: [(Int64, String)] = [
      (-5, "less than a minute"), (59, "less than a minute"), (60, "1 min"), (3600, "1 h"),
      (3 * 3600 + 720, "3 h 12 min"), (86_400, "1 day"), (2 * 86_400 + 10_800, "2 days 3 h"),
      (11 * 86_400 + 5000, "11 days"),
    ]
    for (seconds, text) in cases {
      let age = TimeText.age(since: Timestamp(seconds: 100), now: Timestamp(seconds: 100 + seconds))
      #expect(age == text, "\(seconds)")
    }
  }

  @Test func `times are shown in UTC`() {
    let time = Timestamp(seconds: 1_709_251_199)
    #expect(TimeText.minute(time) == "29 Feb 2024 23:59")
    #expect(TimeText.machine(time) == "2024-02-29T23:59:59Z")
    #expect(TimeText.minute(nil) == "–")
  }

  @Test func `addresses escape what has a meaning in a query`() {
    #expect(Address.query([("q", "a&b=c d/é")]) == "q=a%26b%3Dc%20d%2F%C3%A9")
  }

  @Test func `months have their days`() {
    #expect(Day.count(inMonth: 2, of: 2028) == 29)
    #expect(Day.count(inMonth: 2, of: 2026) == 28)
    #expect(Day.count(inMonth: 2, of: 1900) == 28)
    #expect(Day.count(inMonth: 12, of: 9999) == 31)
    #expect(Day.count(inYear: 2028) == 366)
  }
}
