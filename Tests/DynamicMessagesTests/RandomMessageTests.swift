import DynamicMessages
import TestSupport
import Testing

/// Repeat a failure with `MESSAGE_TEST_SEED=<seed>`.
@Suite struct RandomMessageTests {
  @Test func anyMessageGoesRoundAsItself() throws {
    var source = RandomMessage(random: SeededGenerator(printingSeedOf: "MESSAGE_TEST_SEED"))
    let type = try Protoc.schema().message("Rich")
    for _ in 0..<2_000 {
      let json = source.rich(depth: 0)
      let bytes = try type.binary(fromJSON: json)
      #expect(
        try type.json(fromBinary: bytes) == json, "seed \(source.random.seed): \(json.text())")
    }
  }

  /// Compares each encoded message with the bytes that protoc writes for it.
  @Test func protocWritesTheSameBytes() throws {
    var source = RandomMessage(random: SeededGenerator(printingSeedOf: "MESSAGE_TEST_SEED"))
    let name = "dynamic.test.Rich"
    let type = try Protoc.schema().message(name)
    for _ in 0..<40 {
      let json = source.rich(depth: 0)
      let bytes = try type.binary(fromJSON: json)
      #expect(
        try Protoc.encode(Protoc.decode(bytes, name), name) == bytes,
        "seed \(source.random.seed): \(json.text())")
    }
  }
}

/// Messages in the one writing that comes out of binary again.
private struct RandomMessage {
  var random: SeededGenerator

  mutating func rich(depth: Int) -> JSONValue {
    var members: [JSONValue.Member] = []
    func add(_ name: String, _ value: JSONValue) { members.append(JSONValue.Member(name, value)) }
    if chance() { add("numbers", list { $0.int32() }) }
    if chance() { add("unpacked", list { $0.int32() }) }
    if chance() { add("names", list { $0.string() }) }
    if chance() { add("points", list { $0.point() }) }
    if chance() { add("colours", list { $0.colour() }) }
    if chance() { add("doubles", list { $0.double() }) }
    // One entry: protoc sorts them.
    if chance() { add("counts", .object([JSONValue.Member(text(), int32())])) }
    if chance() {
      add("places", .object([JSONValue.Member("\(Int64(bitPattern: bits()))", point())]))
    }
    if chance() { add("flags", .object([JSONValue.Member("\(chance())", colour())])) }
    if chance() { add("maybe", int32()) }
    switch bits() % 5 {
    case 0: add("name", string())
    case 1: add("place", point())
    case 2: add("big", .string("\(bits())"))
    case 3: add("nothing", .null)
    default: break
    }
    if chance(), depth < 3 { add("child", rich(depth: depth + 1)) }
    if chance() { add("scalars", scalars()) }
    return .object(members)
  }

  private mutating func scalars() -> JSONValue {
    var members: [JSONValue.Member] = []
    func add(_ name: String, _ value: JSONValue) {
      guard ![.number("0"), .string("0")].contains(value), value != .string("") else { return }
      members.append(JSONValue.Member(name, value))
    }
    add("int32Value", int32())
    add("int64Value", .string("\(Int64(bitPattern: bits()))"))
    add("uint32Value", .number("\(UInt32(truncatingIfNeeded: bits()))"))
    add("uint64Value", .string("\(bits())"))
    add("sint32Value", int32())
    add("sint64Value", .string("\(Int64(bitPattern: bits()))"))
    add("fixed32Value", .number("\(UInt32(truncatingIfNeeded: bits()))"))
    add("fixed64Value", .string("\(bits())"))
    add("sfixed32Value", int32())
    add("sfixed64Value", .string("\(Int64(bitPattern: bits()))"))
    if chance() { add("boolValue", .bool(true)) }
    add("stringValue", string())
    return .object(members)
  }

  private mutating func point() -> JSONValue {
    var members: [JSONValue.Member] = []
    for name in ["x", "y"] {
      let value = int32()
      if value != .number("0") { members.append(JSONValue.Member(name, value)) }
    }
    return .object(members)
  }

  private mutating func list(_ element: (inout RandomMessage) -> JSONValue) -> JSONValue {
    .array((0...bits() % 4).map { _ in element(&self) })
  }

  private mutating func colour() -> JSONValue {
    let names = ["NONE", "RED", "BLUE", "BELOW"]
    return names.randomElement(using: &random).map { .string($0) } ?? .number("4")
  }

  private mutating func double() -> JSONValue {
    let number = Double(bitPattern: bits())
    guard number.isFinite else { return .string("NaN") }
    let digits = "\(number)"
    return .number(digits.hasSuffix(".0") ? String(digits.dropLast(2)) : digits)
  }

  private mutating func int32() -> JSONValue { .number("\(Int32(truncatingIfNeeded: bits()))") }

  private mutating func string() -> JSONValue { .string(text()) }

  private mutating func text() -> String {
    let scalars: [Unicode.Scalar] = [
      "\0", "\"", "\\", "\n", "a", "é", "\u{301}", "👩", "\u{10FFFF}",
    ]
    var text = ""
    for _ in 0..<bits() % 6 {
      text.unicodeScalars.append(scalars.randomElement(using: &random) ?? "a")
    }
    return text
  }

  /// Small numbers as often as large ones.
  private mutating func bits() -> UInt64 {
    let bits = random.next()
    return bits >> (random.next() % 64)
  }

  private mutating func chance() -> Bool { random.next() & 1 == 0 }
}
