import DynamicMessages
import Foundation
import TestSupport
import Testing

@Suite struct JSONTests {
  @Test(arguments: [
    "null", "true", "false", "0", "-0", "9223372036854775807", "18446744073709551615", "1e400",
    "-1.50E+007", #""""#, #""\u0000\u001f\u007f\u009f\u2028""#, "[]", "{}",
    #"{"z":1,"a":[{},[null]],"é":"é"}"#,
  ])
  func aValueIsWrittenAsItWasRead(_ text: String) throws {
    #expect(try JSONValue(text).text() == text)
  }

  @Test func whiteSpaceIsNoPartOfAValue() throws {
    #expect(try JSONValue(" \n\r\t[ 1 , { \"a\" : 2 } ] \n").text() == #"[1,{"a":2}]"#)
  }

  @Test func aPersonSeesALineForEachMember() throws {
    let text = """
      {
        "a": [
          1,
          {}
        ],
        "b": []
      }
      """
    #expect(try JSONValue(text).text(pretty: true) == text)
  }

  @Test func equivalentNamesAreNotTheSame() throws {
    #expect(throws: Never.self) { try JSONValue("{\"\u{e9}\":1,\"e\u{301}\":2}") }
  }

  @Test(arguments: [
    ("", "line 1, column 1: the text ends where a value is expected"),
    ("{\"a\":1,\n \"a\":2}", #"line 2, column 2: the name "a" is there twice"#),
    (#"{"a":1,"\u0061":2}"#, #"line 1, column 8: the name "a" is there twice"#),
    ("[1,]", "line 1, column 4: a value is expected"),
    ("{\"a\":1,}", "line 1, column 8: a member's name is expected"),
    ("{\"a\" 1}", "line 1, column 6: a colon is expected"),
    ("[1 2]", "line 1, column 4: a comma or ] is expected"),
    ("{\"a\":1", "line 1, column 7: a comma or } is expected"),
    ("1 2", "line 1, column 3: there is something behind the value"),
    ("01", "line 1, column 2: there is something behind the value"),
    ("+1", "line 1, column 1: a value is expected"),
    (".5", "line 1, column 1: a value is expected"),
    ("-", "line 1, column 1: a value is expected"), ("1.", "line 1, column 3: a digit is expected"),
    ("1e", "line 1, column 3: a digit is expected"),
    ("nul", "line 1, column 1: a value is expected"),
    ("NaN", "line 1, column 1: a value is expected"),
    ("\"a", "line 1, column 1: a string does not end"),
    ("\"\\", "line 1, column 2: there is no such escape"),
    ("\"\\x\"", "line 1, column 3: there is no such escape"),
    ("\"\\u12", "line 1, column 6: four hexadecimal digits are expected"),
    ("\"\\ud800\"", "line 1, column 8: half of a pair of surrogates stands alone"),
    ("\"\\udc00\\ud800\"", "line 1, column 8: half of a pair of surrogates stands alone"),
    ("\"\\ud800\\u0041\"", "line 1, column 14: half of a pair of surrogates stands alone"),
    ("\"a\nb\"", "line 1, column 3: a control character in a string must be escaped"),
  ])
  func whatIsNotJSONIsRefusedWithItsPlace(_ text: String, _ complaint: String) {
    let error = #expect(throws: DynamicMessageError.self) { try JSONValue(text) }
    #expect(error?.description == complaint)
  }

  @Test func aStringThatIsNotUTF8IsRefused() {
    #expect(throws: DynamicMessageError.self) { try JSONValue([0x22, 0xC3, 0x28, 0x22]) }
  }

  @Test func valuesAreNestedAHundredTimesAtMost() {
    let brackets = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
    #expect(throws: Never.self) { try JSONValue(brackets(100)) }
    #expect(throws: DynamicMessageError.self) { try JSONValue(brackets(101)) }
    #expect(throws: DynamicMessageError.self) { try JSONValue(brackets(1_000_000)) }
  }

  /// Repeat a failure with `JSON_TEST_SEED=<seed>`.
  @Test func damagedTextNeverTrapsAndIsReadAsFoundationDoes() throws {
    var random = SeededGenerator(printingSeedOf: "JSON_TEST_SEED")
    // Without exponents: Foundation refuses numbers beyond its doubles.
    let original = Array(
      #"{"a":[1,-2.5,"x\u00e9\ud83d\udc69",null],"b":{"c":true},"d":"é"}"#.utf8)
    for _ in 0..<20_000 {
      var bytes = original
      for _ in 0...Int.random(in: 0...2, using: &random) {
        let place = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0...2, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: place)
        }
      }
      guard let value = try? JSONValue(bytes) else { continue }
      // What is taken here, another reader takes.
      #expect(try JSONValue(value.text()) == value, "seed \(random.seed): \(bytes)")
      #expect(throws: Never.self, "seed \(random.seed): \(bytes)") {
        try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
      }
    }
  }
}
