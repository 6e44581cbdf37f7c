import ProtobufC
import Testing

/// Malformed input, which must be an error and never a trap or a wrong value.
@Suite struct MalformedInputTests {
  static let scalars: [(String, String)] = [
    ("a varint for a string", "7001"),
    ("a varint for bytes", "7801"),
    ("four bytes for an int32", "0D00000000"),
    ("eight bytes for an int32", "090000000000000000"),
    ("a length for an int32", "0A0101"),
    ("a varint for a fixed32", "3801"),
    ("eight bytes for a float", "590000000000000000"),
    ("four bytes for a double", "6500000000"),
    ("a group's start", "0B"),
    ("a group's end", "0C"),
    ("an unknown group", "F33F"),
    ("wire type 6", "0E"),
    ("wire type 7", "0F"),
    ("a varint of eleven bytes", "08FFFFFFFFFFFFFFFFFFFF01"),
    ("an unterminated tag", "FFFFFFFFFF"),
    ("a length beyond the end", "7205616263"),
    ("a length of 2 GiB", "72FFFFFFFF07"),
    ("a length of 4 GiB", "72FFFFFFFF0F"),
    ("a length that wraps around", "72FBFFFFFF0F"),
    ("a length of 64 bits", "72FFFFFFFFFFFFFFFFFF01"),
    ("an unknown length of 4 GiB", "F23FFFFFFFFF0F"),
  ]

  @Test(arguments: scalars)
  func `malformed fields are refused`(_ name: String, _ bytes: String) {
    #expect(throws: ProtobufError.malformed(message: "bridge.test.Scalars"), "\(name)") {
      try Scalars(serialized: hex(bytes))
    }
    // As a submessage, which is scanned first.
    #expect(throws: ProtobufError.malformed(message: "bridge.test.Rich"), "\(name)") {
      try Rich(serialized: record(15, hex(bytes)))
    }
  }

  static let lists: [(String, String)] = [
    ("truncated packed varints", "0A0201FF"),
    ("packed fixed32 of three bytes", "3A03000000"),
    ("packed doubles of nine bytes", "6209000000000000000000"),
    ("a packed varint that is too long", "0A0BFFFFFFFFFFFFFFFFFFFF01"),
    ("a number for a list of strings", "7001"),
  ]

  @Test(arguments: lists)
  func `malformed lists are refused`(_ name: String, _ bytes: String) {
    #expect(throws: ProtobufError.malformed(message: "bridge.test.Lists"), "\(name)") {
      try Lists(serialized: hex(bytes))
    }
  }

  @Test func `a wrong wire type for a submessage is refused`() {
    for bytes in ["5001", "5500000000", "5801", "4001"] {
      #expect(throws: ProtobufError.malformed(message: "bridge.test.Rich")) {
        try Rich(serialized: hex(bytes))
      }
    }
  }

  @Test func `a truncated message is refused unless it ends between two fields`() {
    let whole = Rich(
      userID: "user",
      pageSize: 300,
      note: "note",
      choice: .point(.init(x: -500, labels: ["é"])),
      origin: .init(y: 70_000),
      points: [.init(kind: .corner), .init(labels: ["a", "b"])],
      createTime: .init(seconds: 1 << 40, nanos: 1),
      fileURLs: ["file:///a", ""],
      favourite: .blue,
      scalars: Scalars(doubleValue: 1, bytesValue: [1, 2, 3])
    ).serialized()
    var accepted = 0
    for length in 0..<whole.count {
      let part = Array(whole[..<length])
      do throws(ProtobufError) {
        // Fields are encoded in order, so an accepted part is encoded to the same bytes.
        #expect(try Rich(serialized: part).serialized() == part)
        accepted += 1
      } catch {
        #expect(error == .malformed(message: "bridge.test.Rich"))
      }
    }
    #expect(accepted == 12, "one truncation before each top-level field")
  }

  static let badStrings = ["FF", "C0AF", "EDA080", "F4908080", "C3", "61FF62", "80"]

  @Test(arguments: badStrings)
  func `a string that is not UTF-8 is reported with its field`(_ text: String) {
    let bytes = hex(text)
    let cases: [(ProtobufError, () throws -> Void)] = [
      (
        .invalidUTF8(field: "bridge.test.Scalars.string_value"),
        { _ = try Scalars(serialized: record(14, bytes)) }
      ),
      (
        .invalidUTF8(field: "bridge.test.Lists.string_values"),
        { _ = try Lists(serialized: record(14, bytes)) }
      ),
      (
        .invalidUTF8(field: "bridge.test.Rich.note"),
        { _ = try Rich(serialized: record(3, bytes)) }
      ),
      (
        .invalidUTF8(field: "bridge.test.Rich.text"),
        { _ = try Rich(serialized: record(4, bytes)) }
      ),
      (
        .invalidUTF8(field: "bridge.test.Rich.Point.labels"),
        { _ = try Rich(serialized: record(11, record(4, bytes))) }
      ),
    ]
    for (error, decode) in cases {
      #expect(throws: error, performing: decode)
    }
  }

  @Test func `a bytes field may contain any bytes`() throws {
    #expect(try Scalars(serialized: record(15, [0xFF])).bytesValue == [0xFF])
  }

  @Test func `an error description contains nothing of the input`() {
    let described: [(ProtobufError, String)] = [
      (.malformed(message: "a.B"), "malformed a.B"),
      (.invalidUTF8(field: "a.B.c"), "a.B.c is not valid UTF-8"),
      (.tooDeep(message: "a.B", limit: 100), "a.B is nested more than 100 levels deep"),
      (.tooLarge(message: "a.B", limit: 5), "a.B needs more than 5 bytes of memory"),
    ]
    for (error, description) in described { #expect(error.description == description) }
  }
}
