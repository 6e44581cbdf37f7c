import Testing

@testable import mockup_console

@Suite struct FormFieldsTests {
  @Test func `fields are decoded`() throws {
    let fields = try FormFields("q=a+b%2Bc&empty=&flag&year=2026&%C3%A9=%C3%A9")
    #expect(fields["q"] == "a b+c")
    #expect(fields["empty"] == nil)
    #expect(fields["flag"] == nil)
    #expect(fields["é"] == "é")
    #expect(try fields.number("year", in: 1...9999) == 2026)
    #expect(try fields.number("none", in: 1...9999) == nil)
    #expect(try FormFields("")["q"] == nil)
  }

  @Test func `invalid fields are refused`() {
    for text in ["a=%", "a=%1", "a=%zz", "a=%FF", "a=1&a=2", "a&a", "%00%FF=1"] {
      #expect(throws: Failure.self, "\(text)") { try FormFields(text) }
    }
    for number in ["0", "10000", "1.5", "x", "99999999999999999999", " 1"] {
      #expect(throws: Failure.self, "\(number)") {
        try FormFields("year=\(number)").number("year", in: 1...9999)
      }
    }
  }
}
