import ProtobufC
import Testing

@Suite struct DecodingLimitsTests {
  /// Encodes `levels` nested messages, each as field `number` of the enclosing one.
  private func nested(_ number: Int, levels: Int) -> [UInt8] {
    (0..<levels).reduce([]) { inner, _ in record(number, inner) }
  }

  @Test(arguments: [2, 3, 4])
  func `the nesting depth is limited`(byField number: Int) throws {
    _ = try Tree(serialized: nested(number, levels: 100))
    #expect(throws: ProtobufError.tooDeep(message: "bridge.test.Tree", limit: 100)) {
      try Tree(serialized: nested(number, levels: 101))
    }
  }

  @Test func `the nesting depth through another message is limited`() throws {
    _ = try Ping(serialized: nested(1, levels: 100))
    #expect(throws: ProtobufError.tooDeep(message: "bridge.test.Ping", limit: 100)) {
      try Ping(serialized: nested(1, levels: 101))
    }
  }

  @Test func `deep nesting does not exhaust the stack`() {
    #expect(throws: ProtobufError.tooDeep(message: "bridge.test.Tree", limit: 100)) {
      try Tree(serialized: nested(3, levels: 20_000))
    }
  }

  @Test func `the depth limit is configurable`() throws {
    let limits = DecodingLimits(depth: 1)
    _ = try Tree(serialized: nested(2, levels: 1), limits: limits)
    #expect(throws: ProtobufError.tooDeep(message: "bridge.test.Tree", limit: 1)) {
      try Tree(serialized: nested(2, levels: 2), limits: limits)
    }
  }

  @Test func `unknown fields do not count towards the depth`() throws {
    #expect(try Tree(serialized: nested(99, levels: 1000)) == Tree())
  }

  static let floods: [(String, any ProtobufMessage.Type, [UInt8])] = [
    ("empty submessages", Crowd.self, flood(0x0A, times: 2_000_000)),
    ("submessages that are large in Swift", Crowd.self, flood(0x12, times: 150_000)),
    ("empty strings", Lists.self, flood(0x72, times: 2_000_000)),
    ("unknown fields", Empty.self, flood(0x10, times: 2_000_000)),
    ("the same field many times", Scalars.self, flood(0x08, times: 2_000_000)),
    ("packed numbers", Lists.self, record(1, Array(repeating: 0, count: 20_000_000))),
  ]

  /// Encodes a tag and a zero, which is its value or length, many times.
  private static func flood(_ tag: UInt8, times: Int) -> [UInt8] {
    var bytes: [UInt8] = Array(repeating: 0, count: times * 2)
    for index in stride(from: 0, to: bytes.count, by: 2) { bytes[index] = tag }
    return bytes
  }

  @Test func `a flood of fields is an error before it takes much memory`() {
    for (name, type, bytes) in Self.floods {
      let error = ProtobufError.tooLarge(message: type.fullName, limit: 64 << 20)
      #expect(throws: error, "\(name)") { try type.init(serialized: bytes) }
    }
  }

  @Test func `the memory limit is configurable`() throws {
    let bytes = Crowd(members: Array(repeating: Empty(), count: 1000)).serialized()
    #expect(try Crowd(serialized: bytes).members.count == 1000)
    #expect(throws: ProtobufError.tooLarge(message: "bridge.test.Crowd", limit: 10_000)) {
      try Crowd(serialized: bytes, limits: DecodingLimits(memory: 10_000))
    }
  }

  @Test func `a small message is decoded without heap memory`() throws {
    let value = Rich.Point(x: 1, y: 2, kind: .corner)
    #expect(try Rich.Point(serialized: value.serialized(), limits: .init(memory: 0)) == value)
  }

  @Test func `a message that exceeds one memory block is decoded`() throws {
    let value = Lists(
      stringValues: (0..<5000).map { "string \($0)" },
      bytesValues: [Array(repeating: 1, count: 3_000_000), [2]]
    )
    #expect(try Lists(serialized: value.serialized()) == value)
  }
}
