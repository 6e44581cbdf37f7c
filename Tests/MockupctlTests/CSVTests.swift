import Testing

@testable import mockupctl

@Suite struct CSVTests {
  @Test(arguments: [
    (["a", "", "c"], "a,,c"),
    (["a,b", "say \"so\"", "two\nlines"], "\"a,b\",\"say \"\"so\"\"\",\"two\nlines\""),
    // Data keeps its characters.
    (["-5", "\u{1b}[31m"], "-5,\u{1b}[31m"),
  ])
  func `values are quoted where they must be`(_ values: [String], _ line: String) {
    #expect(CSV.line(values) == line)
  }

  @Test(arguments: [
    ("a,b", ["a", "b"]),
    ("", [""]),
    (",", ["", ""]),
    (" a , \"b,c\" ,\"say \"\"so\"\"\"", ["a", "b,c", "say \"so\""]),
    ("\"\"", [""]),
    ("\"open", nil),
    ("\"a\"b", nil),
  ])
  func `a line is read as its values`(_ line: String, _ values: [String]?) {
    #expect(CSV.values(line) == values)
  }
}
