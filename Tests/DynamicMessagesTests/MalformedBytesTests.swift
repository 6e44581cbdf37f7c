import DynamicMessages
import TestSupport
import Testing

@Suite struct MalformedBytesTests {
  @Test(
    arguments: [
      ([0x08], "malformed at byte 1: the bytes end within a number"),
      ([0x00, 0x01], "malformed at byte 1: there is no such tag"),
      ([0x0F, 0x01], "malformed at byte 1: there is no such tag"),
      ([0x0C], "malformed at byte 1: a group ends that did not start"),
      ([0x9B, 0x06], "malformed at byte 2: a group does not end"),
      ([0x9B, 0x06, 0xA4, 0x06], "malformed at byte 4: a group ends that did not start"),
      ([0x1A, 0x05, 0x61], "malformed at byte 2: a length goes beyond the end"),
      (
        [0x1A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        "malformed at byte 11: a length goes beyond the end"
      ),
      (
        [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        "malformed at byte 11: a number has more than ten bytes"
      ),
      ([0x0A, 0x01, 0x80], "numbers: malformed at byte 1: the bytes end within a number"),
      ([0x22, 0x01, 0x08], "points[0]: malformed at byte 1: the bytes end within a number"),
      ([0x1A, 0x01, 0xFF], "names[0]: a string that is not UTF-8"),
      ([0xD9, 0x06, 0x00], "malformed at byte 2: the bytes end within a number"),
    ] as [([UInt8], String)])
  func malformedBytesAreAClearError(_ bytes: [UInt8], _ complaint: String) throws {
    let type = try Protoc.schema().message("Rich")
    let error = #expect(throws: DynamicMessageError.self) { try type.json(fromBinary: bytes) }
    #expect(error?.code == .bytes)
    #expect(error?.description == complaint)
  }

  @Test(
    arguments: [
      // A packed field that says it is not, and the other way round.
      ([0x12, 0x02, 0x01, 0x02, 0x08, 0x05, 0x08, 0x06], #"{"numbers":[5,6],"unpacked":[1,2]}"#),
      // The last of two counts; of a oneof too.
      ([0x50, 0x01, 0x50, 0x02], #"{"maybe":2}"#),
      ([0x5A, 0x01, 0x61, 0x68, 0x05], #"{"big":"5"}"#),
      // Two parts of one message are merged, but not across another member of the oneof.
      ([0x62, 0x02, 0x08, 0x01, 0x62, 0x02, 0x10, 0x02], #"{"place":{"x":-1,"y":2}}"#),
      ([0x62, 0x02, 0x08, 0x01, 0x68, 0x05, 0x62, 0x02, 0x10, 0x02], #"{"place":{"y":2}}"#),
      // Entries of a map without key or value, and one key twice.
      ([0x3A, 0x00, 0x3A, 0x02, 0x10, 0x07, 0x42, 0x00], #"{"counts":{"":7},"places":{"0":{}}}"#),
      // Unknown fields of all kinds, and one of another type.
      (
        [0xD8, 0x06, 0x01, 0xDA, 0x06, 0x00, 0xDB, 0x06, 0x08, 0x01, 0xDC, 0x06, 0x55, 0, 0, 0, 0],
        "{}"
      ),
      // A number of 64 bits where 32 are read, and those are 0.
      ([0x62, 0x06, 0x10, 0x80, 0x80, 0x80, 0x80, 0x10], #"{"place":{}}"#),
      ([0x62, 0x06, 0x08, 0x82, 0x80, 0x80, 0x80, 0x10], #"{"place":{"x":1}}"#),
      // An int32 of 64 bits.
      ([0x50, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], #"{"maybe":-1}"#),
    ] as [([UInt8], String)])
  func whatOtherWritersMayWriteIsRead(_ bytes: [UInt8], _ json: String) throws {
    let type = try Protoc.schema().message("Rich")
    #expect(try type.json(fromBinary: bytes).text() == json)
  }

  @Test func aNullIsNullWhateverItsNumber() throws {
    let type = try Protoc.schema().message("Known")
    #expect(try type.json(fromBinary: [0x48, 0x0B]).text() == "{}")
    #expect(
      try type.json(fromBinary: [0x48, 0x0B], JSONOptions(showsDefaults: true)).text()
        == #"{"nothing":null,"values":[],"named":{},"boxes":[]}"#)
  }

  @Test func aMessageInManyPartsIsReadAtOnce() throws {
    let type = try Protoc.schema().message("Rich")
    let bytes = (0..<50_000).flatMap { _ in [0x7A, 0x02, 0x08, 0x01] as [UInt8] }
    guard case .object(let members) = try type.json(fromBinary: bytes),
      case .object(let child)? = members.first?.value,
      case .array(let numbers)? = child.first?.value
    else {
      Issue.record("no child")
      return
    }
    #expect(numbers.count == 50_000)
  }

  @Test func messagesInOneAnotherAreReadToAHundred() throws {
    let type = try Protoc.schema().message("Old")
    func pairs(_ count: Int) -> [UInt8] {
      Array(repeating: 0x33, count: count) + Array(repeating: 0x34, count: count)
    }
    let groups = #expect(throws: DynamicMessageError.self) {
      try type.json(fromBinary: pairs(100_000))
    }
    #expect(
      groups?.description == "malformed at byte 101: more than 100 groups are in one another")
    let rich = try Protoc.schema().message("Rich")
    var nested: [UInt8] = []
    for _ in 0..<100 {
      nested = [0x7A, UInt8(nested.count & 0x7F | 0x80), UInt8(nested.count >> 7)] + nested
    }
    let messages = #expect(throws: DynamicMessageError.self) { try rich.json(fromBinary: nested) }
    #expect(messages?.description.hasSuffix("more than 100 messages are in one another") == true)
    #expect(throws: Never.self) { try rich.json(fromBinary: Array(nested.dropFirst(3))) }
  }

  /// Repeat a failure with `DYNAMIC_TEST_SEED=<seed>`.
  @Test func damagedMessagesNeverTrapAndWhatIsReadGoesInAgain() throws {
    var random = SeededGenerator(printingSeedOf: "DYNAMIC_TEST_SEED")
    let schema = try Protoc.schema()
    let samples = try GoldenTests.messages.map { message in
      let type = try schema.message(message.type)
      return (type, try type.binary(fromJSON: message.json))
    }
    for _ in 0..<20_000 {
      guard let (type, original) = samples.randomElement(using: &random) else { continue }
      var bytes = original
      for _ in 0...Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
        let place = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0...3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 2: bytes.remove(at: place)
        default: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: place)
        }
      }
      guard let json = try? type.json(fromBinary: bytes),
        let again = try? type.binary(fromJSON: json)
      else { continue }
      #expect(
        try type.json(fromBinary: again).text() == json.text(),
        "seed \(random.seed): \(type.fullName) \(bytes)")
    }
  }
}
