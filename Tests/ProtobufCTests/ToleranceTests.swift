import ProtobufC
import Testing

/// Valid input that the library's own encoder would not produce.
@Suite struct ToleranceTests {
  static let unknown: [String] = [
    "F03F01",  // number 1022, a varint
    "F13F0000000000000000",  // eight bytes
    "F23F03414243",  // length-delimited
    "F53F00000000",  // four bytes
    "F23F00",  // an empty value
    "F8FFFFFF0F01",  // the largest field number
  ]

  @Test(arguments: unknown)
  func `an unknown field is dropped`(_ field: String) throws {
    let known = Rich(userID: "u", origin: Rich.Point(x: 1))
    let value = try Rich(serialized: hex(field) + known.serialized() + hex(field))
    #expect(value == known)
    #expect(try Empty(serialized: hex(field)) == Empty())
    #expect(try Rich(serialized: record(10, hex("0802") + hex(field))) == Rich(origin: .init(x: 1)))
  }

  static let lists: [(String, String, Lists)] = [
    ("packed", "0A03010203", Lists(int32Values: [1, 2, 3])),
    ("one by one", "080108020803", Lists(int32Values: [1, 2, 3])),
    ("mixed", "08010A0202030804", Lists(int32Values: [1, 2, 3, 4])),
    ("packed although declared unpacked", "8A01020506", Lists(unpackedValues: [5, 6])),
    ("an empty packed list", "0A00", Lists()),
    ("fixed one by one", "3D010000003D02000000", Lists(fixed32Values: [1, 2])),
    ("booleans one by one", "68016800", Lists(boolValues: [true, false])),
    ("a packed boolean of two", "6A020200", Lists(boolValues: [true, false])),
    ("enums one by one", "80010180 0163", Lists(colourValues: [.red, .unrecognized(99)])),
    ("between other fields", "0801100208 03", Lists(int32Values: [1, 3], int64Values: [2])),
  ]

  @Test(arguments: lists)
  func `a list may be packed or not`(_ name: String, _ bytes: String, _ value: Lists) throws {
    #expect(try Lists(serialized: hex(bytes)) == value, "\(name)")
  }

  @Test func `the last value of a singular field counts`() throws {
    #expect(try Scalars(serialized: hex("08010802")).int32Value == 2)
    #expect(try Scalars(serialized: hex("08010800")).int32Value == 0)
    #expect(try Scalars(serialized: hex("720161720162")).stringValue == "b")
    #expect(try Scalars(serialized: hex("7201617200")).stringValue == "")
    #expect(try Rich(serialized: hex("10011002")).pageSize == 2)
  }

  @Test func `the last case of a oneof counts`() throws {
    #expect(try Rich(serialized: hex("220161 2A0162 3001")).choice == .flag(true))
    #expect(try Rich(serialized: hex("3001 2A0162 220161")).choice == .text("a"))
    #expect(try Rich(serialized: hex("42020802 3001")).choice == .flag(true))
    #expect(try Rich(serialized: hex("3001 42020802")).choice == .point(.init(x: 1)))
  }

  @Test func `a long varint is truncated to the width of its field`() throws {
    // The low 32 of 64 bits are kept, as protobuf specifies for a change of a field's width.
    #expect(try Scalars(serialized: hex("08 FFFFFFFFFFFFFFFFFF01")).int32Value == -1)
    #expect(try Scalars(serialized: hex("18 8180808010")).uint32Value == 1)
    #expect(try Scalars(serialized: hex("68 808001")).boolValue)
  }

  static let merges: [(String, [UInt8], Rich)] = [
    (
      "a field that only the first has is kept",
      record(10, hex("0802")) + record(10, hex("1004")), Rich(origin: .init(x: 1, y: 2))
    ),
    (
      "a field that both have is taken from the second",
      record(10, hex("08021002")) + record(10, hex("0804")), Rich(origin: .init(x: 2, y: 1))
    ),
    (
      "lists are concatenated",
      record(10, hex("220161")) + record(10, hex("220162")),
      Rich(origin: .init(labels: ["a", "b"]))
    ),
    (
      "an empty second submessage changes nothing",
      record(10, hex("0802")) + record(10, []), Rich(origin: .init(x: 1))
    ),
    (
      "other fields may lie between",
      record(12, hex("0805")) + hex("0A0175") + record(12, hex("1007")),
      Rich(userID: "u", createTime: .init(seconds: 5, nanos: 7))
    ),
  ]

  @Test(arguments: merges)
  func `a submessage that occurs twice is merged`(_ rule: String, _ bytes: [UInt8], _ value: Rich)
    throws
  {
    #expect(try Rich(serialized: bytes) == value, "\(rule)")
  }

  @Test func `merging is recursive`() throws {
    let first = record(2, record(2, hex("0A0161")))
    let second = record(2, record(2, record(3, hex("0A0162"))))
    let value = try Tree(serialized: first + second)
    #expect(value == Tree(left: Tree(left: Tree(name: "a", children: [Tree(name: "b")]))))
  }

  @Test func `merging handles an unset oneof`() throws {
    let twice = record(2, []) + record(2, [])
    #expect(try Tree(serialized: twice) == Tree(left: Tree()))
    let firstSet = record(2, hex("2805")) + record(2, [])
    #expect(try Tree(serialized: firstSet) == Tree(left: Tree(way: .there(5))))
    let crowd = record(2, record(10, []) + record(10, hex("0802")))
    #expect(try Crowd(serialized: crowd) == Crowd(riches: [Rich(origin: .init(x: 1))]))
  }
}
