import Foundation
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
    record.note = .text("note")
    #expect(Table.text([record, Record(["n": .number(2 as Int64)])]) == "n\n1\n  note\n2\n")
  }

  @Test func `a command below a record is continued on lines that a shell reads as one`() {
    let command = Record.Note.command("mockupctl resolve \(Self.id) \(Self.id) --credits 2")
    #expect(command.text(fitting: nil).split(separator: "\n").count == 1)
    #expect(command.text(fitting: 200) == command.text(fitting: nil))
    #expect(
      command.text(fitting: 60) == """
          mockupctl resolve \(Self.id) \\
            \(Self.id) --credits 2

        """)
    // A word that is longer than a line is not broken.
    for line in command.text(fitting: 30).split(separator: "\n") {
      let words = line.split(separator: " ").filter { $0 != "\\" }
      #expect(line.count <= 30 || words.contains { $0.count >= 26 }, "\(line)")
    }
    let words = command.text(fitting: 30).replacing("\\\n", with: "").split(separator: " ")
      .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
    #expect(words == ["mockupctl", "resolve", Self.id, Self.id, "--credits", "2"])
  }

  @Test func `texts are cut to fit the terminal, the widest first, and ids and numbers are not`() {
    func lines(_ width: Int) -> [String] {
      let terminal = Terminal(size: width, environment: ["NO_COLOR": "1"])
      return Table.text(Self.records, fitting: terminal).split(separator: "\n").map(String.init)
    }
    let wide = lines(200)
    #expect(wide[1].count == 36 + 2 + 21 + 2 + 60 + 2 + 5)
    for width in [120, 100, 90] {
      for line in lines(width) { #expect(line.count <= width, "\(line)") }
      #expect(lines(width)[1].contains("uuu…"))
      #expect(lines(width)[1].hasPrefix(Self.id))
      #expect(lines(width)[2].hasSuffix(" 12345"))
    }
    #expect(lines(100)[2].contains("a name that is longer"))
    #expect(lines(87)[2].contains("a name that is long…"), "\(lines(87))")
  }

  @Test func `columns that do not fit are left out and named, and the first one is shown`() {
    func lines(_ width: Int) -> [String] {
      let terminal = Terminal(size: width, environment: ["NO_COLOR": "1"])
      return Table.text(Self.records, fitting: terminal).split(separator: "\n").map(String.init)
    }
    let narrow = lines(65)
    #expect(narrow[0] == "id                                    name                      n")
    #expect(narrow[3] == "  not shown: url (widen the terminal, or use --output)")
    for width in 36...200 {
      for line in lines(width) { #expect(line.count <= width, "\(width): \(line)") }
      #expect(lines(width)[1].hasPrefix(Self.id))
    }
    #expect(lines(20)[1] == Self.id)
  }

  @Test func `records whose required columns do not fit have a line for each field`() {
    var record = Record(["id": .text(Self.id), "other": .text(Self.id), "n": .number(7 as Int64)])
    record.requiredCount = 2
    func text(_ width: Int) -> String {
      Table.text([record, record], fitting: Terminal(size: width, environment: ["NO_COLOR": "1"]))
    }
    #expect(text(74).hasPrefix("id  "))
    #expect(text(73) == Table.text(record) + "\n" + Table.text(record))
    #expect(Table.text([record], fitting: nil).split(separator: "\n").count == 2)
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
