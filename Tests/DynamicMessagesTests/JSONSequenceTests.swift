import DynamicMessages
import Testing

@Suite struct JSONSequenceTests {
  private func values(_ text: String, piece: Int) throws -> [String] {
    var sequence = JSONSequence()
    var values: [String] = []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      sequence.append(rest.prefix(piece))
      rest = rest.dropFirst(piece)
      while let value = try sequence.next() { values.append(value.text()) }
    }
    sequence.end()
    while let value = try sequence.next() { values.append(value.text()) }
    return values
  }

  static let streams: [(text: String, values: [String])] = [
    ("", []), (" \n\u{1e} ", []),
    ("{}{}[]", ["{}", "{}", "[]"]),
    ("{\"a\":\"}\\\"]{\"}\n{\n}\n", [#"{"a":"}\"]{"}"#, "{}"]),
    (
      "1 2\n-3e5\"a\"\"b\"true{}null[1]",
      ["1", "2", "-3e5", #""a""#, #""b""#, "true", "{}", "null", "[1]"]
    ),
    ("\u{1e}{\"a\":1}\n\u{1e}{\"b\":[\"\\\\\"]}\n", [#"{"a":1}"#, #"{"b":["\\"]}"#]),
    ("[[[]],{}] 7", ["[[[]],{}]", "7"]),
    ("\"\\\\\"\"é\"", [#""\\""#, #""é""#]),
  ]

  @Test(arguments: streams, [1, 2, 3, 7, 1000])
  func aStreamIsCutIntoTheSameValuesHoweverItComes(
    _ stream: (text: String, values: [String]), _ piece: Int
  ) throws {
    #expect(try values(stream.text, piece: piece) == stream.values)
  }

  @Test func aValueIsThereAsSoonAsItEnds() throws {
    var sequence = JSONSequence()
    sequence.append(Array("{\"a\":1".utf8))
    #expect(try next(&sequence) == nil)
    sequence.append(Array("}".utf8))
    #expect(try next(&sequence) == #"{"a":1}"#)
    sequence.append(Array("12".utf8))
    #expect(try next(&sequence) == nil)
    sequence.end()
    #expect(try next(&sequence) == "12")
    #expect(try next(&sequence) == nil)
  }

  @Test func aMistakeIsToldWithItsLineAndTheNextValueIsRead() throws {
    var sequence = JSONSequence()
    sequence.append(Array("{}\n{\n\"a\" 1}\n}x [2]\n{".utf8))
    sequence.end()
    #expect(try next(&sequence) == "{}")
    #expect(complaint(&sequence) == "line 3, column 5: a colon is expected")
    #expect(complaint(&sequence) == "line 4, column 1: a value is expected")
    #expect(try next(&sequence) == "[2]")
    #expect(complaint(&sequence) == "line 5, column 2: a member's name is expected")
    #expect(try next(&sequence) == nil)
  }

  @Test func aMistakeBehindOtherValuesIsToldWithItsOwnColumn() throws {
    var sequence = JSONSequence()
    sequence.append(Array("{} {}{]".utf8))
    #expect(try next(&sequence) == "{}")
    #expect(try next(&sequence) == "{}")
    sequence.end()
    #expect(complaint(&sequence) == "line 1, column 7: a member's name is expected")
    sequence = JSONSequence()
    sequence.append(Array("\n[\n1] {]".utf8))
    sequence.end()
    #expect(try next(&sequence) == "[1]")
    #expect(complaint(&sequence) == "line 3, column 5: a member's name is expected")
  }

  @Test func aValueThatIsTooLongIsRefused() {
    var sequence = JSONSequence(sizeLimit: 10)
    sequence.append(Array("[1,2,3,4,5".utf8))
    #expect(complaint(&sequence) == nil)
    sequence.append(Array(",6".utf8))
    #expect(complaint(&sequence) == "a value has more than 10 bytes")
  }

  private func next(_ sequence: inout JSONSequence) throws -> String? {
    try sequence.next()?.text()
  }

  private func complaint(_ sequence: inout JSONSequence) -> String? {
    do throws(DynamicMessageError) {
      _ = try sequence.next()
      return nil
    } catch {
      return error.description
    }
  }
}
