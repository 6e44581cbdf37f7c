import Testing

@testable import mockupctl

/// The JSON that commands print.
@Suite struct JSONValueTests {
  private static let value = JSONValue.object([
    .init("z", .array([.number("1.50"), .object([]), .null])), .init("a", .array([])),
    .init("a \"b\"", .object([.init("é\u{1b}", .bool(true))])),
  ])

  @Test func `a value is written on one line with its members in order`() {
    #expect(
      Self.value.text() == #"{"z":[1.50,{},null],"a":[],"a \"b\"":{"é\u001b":true}}"#)
  }

  @Test func `a pretty value has a line for each member and element`() {
    #expect(
      Self.value.text(pretty: true) == #"""
        {
          "z": [
            1.50,
            {},
            null
          ],
          "a": [],
          "a \"b\"": {
            "é\u001b": true
          }
        }
        """#)
  }
}
