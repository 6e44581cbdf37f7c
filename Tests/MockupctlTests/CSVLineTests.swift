import Testing

@testable import mockupctl

@Suite struct CSVLineTests {
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
    #expect(CSVLine.values(line) == values)
  }
}
