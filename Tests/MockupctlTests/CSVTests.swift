import Testing

@testable import mockupctl

@Suite struct CSVTests {
  @Test(arguments: [
    (["a", "", "c"], "a,,c"),
    (["a,b", "say \"so\"", "two\nlines"], "\"a,b\",\"say \"\"so\"\"\",\"two\nlines\""),
    // CSV is data, so control characters are not escaped.
    (["-5", "\u{1b}[31m"], "-5,\u{1b}[31m"),
  ])
  func `values are quoted if necessary`(_ values: [String], _ line: String) {
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
  func `a line is split into its values`(_ line: String, _ values: [String]?) {
    #expect(CSV.values(line) == values)
  }
}
