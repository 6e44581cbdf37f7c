import ProtobufC
import Testing

@Suite struct SerializerTests {
  @Test func `a value is packed into an existing buffer`() {
    let value = Rich(userID: "u", points: [.init(x: 1)])
    var buffer: [UInt8] = Array(repeating: 0xEE, count: 32)
    let count = value.withSerializer { serializer in
      unsafe buffer.withUnsafeMutableBytes { unsafe serializer.pack(into: $0) }
      return serializer.byteCount
    }
    #expect(Array(buffer[..<count]) == value.serialized())
    #expect(buffer[count...].allSatisfy { $0 == 0xEE })
  }

  @Test func `an empty message needs no buffer`() {
    let count = Empty().withSerializer { serializer in
      unsafe serializer.pack(into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
      return serializer.byteCount
    }
    #expect(count == 0)
  }

  @Test func `an error thrown by the closure is rethrown`() {
    struct Refusal: Error {}
    #expect(throws: Refusal.self) {
      try Rich(userID: "u").withSerializer { _ in throw Refusal() }
    }
  }
}
