import MockupClient
import Testing

@testable import mockupctl

/// Tables for people.
@Suite struct TableTests {
  private static let id = "f47ac10b-58cc-4372-a567-0e02b2c3d479"

  private static let records = [
    Record([
      "id": .text(id), "name": .text("a short one"),
      "url": .text(String(repeating: "u", count: 60)),
      "n": .number(7 as Int64),
    ]),
    Record([
      "id": .text(id), "name": .text("a name that is longer"), "url": .nothing,
      "n": .number(12345 as Int64),
    ]),
  ]

  @Test func `a table is aligned by its visible text`() {
    let records = [
      Record(["name": .text("a\u{1b}"), "n": .number(7 as Int64)]),
      Record(["name": .text("plain"), "n": .number(12345 as Int64)]),
    ]
    #expect(
      Table.text(records) == """
        name         n
        a\\u{1b}      7
        plain    12345

        """)
  }

  @Test func `a record's note is a line below it`() {
    var record = Record(["n": .number(1 as Int64)])
    record.note = "note"
    #expect(Table.text([record, Record(["n": .number(2 as Int64)])]) == "n\n1\n  note\n2\n")
  }

  @Test func `texts are cut to fit the terminal, the widest first, and ids and numbers are not`() {
    func lines(_ width: Int) -> [String] {
      let terminal = Terminal(size: width, environment: ["NO_COLOR": "1"])
      return Table.text(Self.records, fitting: terminal).split(separator: "\n").map(String.init)
    }
    let wide = lines(200)
    #expect(wide[1].count == 36 + 2 + 21 + 2 + 60 + 2 + 5)
    for width in [120, 100, 80] {
      for line in lines(width) { #expect(line.count <= width, "\(line)") }
      #expect(lines(width)[1].contains("uuu…"))
      #expect(lines(width)[1].hasPrefix(Self.id))
      #expect(lines(width)[2].hasSuffix(" 12345"))
    }
    #expect(lines(100)[2].contains("a name that is longer"))
    #expect(lines(80)[2].contains("a name that is …"), "\(lines(80))")
    // Below the minimum width of the texts, the lines are longer than the terminal.
    #expect(lines(20) == lines(60))
  }

  @Test func `a terminal's width and styles follow the environment`() {
    #expect(Terminal(size: 100, environment: [:]).width == 100)
    #expect(Terminal(size: nil, environment: [:]).width == 80)
    #expect(Terminal(size: 100, environment: ["COLUMNS": "60"]).width == 60)
    #expect(Terminal(size: 100, environment: ["COLUMNS": "wide"]).width == 100)
    #expect(Terminal(size: 100, environment: ["COLUMNS": "0"]).width == 100)
    #expect(Terminal(size: 100, environment: ["NO_COLOR": ""]).hasStyles)
    #expect(!Terminal(size: 100, environment: ["NO_COLOR": "1"]).hasStyles)
    #expect(!Terminal(size: 100, environment: ["TERM": "dumb"]).hasStyles)
    #expect(
      Table.text([Record(["n": .number(1 as Int64)])], fitting: Terminal(size: 9, environment: [:]))
        == "\u{1b}[1mn\u{1b}[0m\n1\n")
  }
}
