import MockupClient
import Testing

@testable import mockupctl

/// Output records for people and for programs.
@Suite struct RecordTests {
  private static let hostile = "x\u{1b}[2J\r\nmockup_id  forged\u{202e}\u{85}\u{7f}"

  @Test func `a hostile text can neither control the terminal nor forge rows`() {
    let record = Record([
      "scene": .text(Self.hostile), "url": .optionalText(Self.hostile), "n": .number(7 as Int64),
    ])
    for line in [OutputFormat.table.line(record), OutputFormat.json.line(record)] {
      #expect(line.last == "\n")
      #expect(
        line.dropLast().unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) }, "\(line)")
    }
    #expect(
      Record.Value.text(Self.hostile).terminalText
        == #"x\u{1b}[2J\r\nmockup_id  forged\u{202e}\u{85}\u{7f}"#)
    #expect(Record.Value.text(Self.hostile).json == .string(Self.hostile))
  }

  @Test(arguments: [
    (Timestamp(seconds: 0, nanos: 0), "1970-01-01T00:00:00Z"),
    (Timestamp(seconds: 1_795_905_818, nanos: 652_000_000), "2026-11-28T22:43:38.652Z"),
    (Timestamp(seconds: 1_795_905_818, nanos: 652_123_000), "2026-11-28T22:43:38.652123Z"),
    (Timestamp(seconds: -1, nanos: 1), "1969-12-31T23:59:59.000000001Z"),
    (Timestamp(seconds: .max, nanos: 0), "9223372036854775807 s"),
  ])
  func `a time is written with its date and all digits`(_ time: Timestamp, _ text: String) {
    let value = Record.Value.time(time)
    #expect(value.json == .string(text))
    #expect(value.plain == text)
    #expect(value.terminalText == text)
  }

  @Test(arguments: ["=1+2", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\r\n=1"])
  func `a text that a spreadsheet would take for a formula has an apostrophe in CSV`(
    _ text: String
  ) {
    func line(_ value: Record.Value) -> String { OutputFormat.csv.line(Record(["a": value])) }
    #expect(line(.text(text)).contains("'" + text))
    #expect(line(.list([text, "b"])).contains("'" + text + ",b"))
    #expect(Record.Value.text(text).json == .string(text))
    #expect(!line(.text("a" + text)).contains("'"))
  }

  @Test func `numbers keep their signs in CSV`() {
    let record = Record([
      "a": .text("=1,\"2\""), "n": .number(-1 as Int64), "d": .decimal(-2.5),
    ])
    #expect(OutputFormat.csv.line(record) == "\"'=1,\"\"2\"\"\",-1,-2.5\r\n")
  }

  @Test func `a list of texts is an array in JSON and one value otherwise`() {
    let list = Record.Value.list(["a", "b"])
    #expect(list.json == .array([.string("a"), .string("b")]))
    #expect(list.plain == "a,b")
    #expect(list.terminalText == "a,b")
    #expect(Record.Value.list([]).terminalText == "-")
  }

  @Test func `a number of single precision has its own digits`() {
    #expect(Record.Value.decimal(Float(0.85)).json == .number("0.85"))
    #expect(Record.Value.decimal(nil as Float?).json == .null)
  }

  @Test func `numbers that JSON cannot represent are strings`() {
    #expect(Record.Value.decimal(.nan).json == .string("nan"))
    #expect(Record.Value.decimal(2.5).json == .number("2.5"))
    #expect(Record.Value.decimal(3).json == .number("3"))
  }
}
