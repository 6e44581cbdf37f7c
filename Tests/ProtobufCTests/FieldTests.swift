import ProtobufC
import Testing

/// Round trips of single fields.
@Suite struct FieldTests {
  static let edges: [Scalars] = integers + floatingPoint + texts

  private static let integers: [Scalars] = {
    var values: [Scalars] = []
    for number in [Int32.min, -1, 1, 127, 128, .max] {
      values.append(Scalars(int32Value: number))
      values.append(Scalars(sint32Value: number))
      values.append(Scalars(sfixed32Value: number))
      values.append(Scalars(colourValue: Colour(rawValue: number)))
    }
    for number in [Int64.min, -1, 1, 1 << 31, 1 << 32, .max] {
      values.append(Scalars(int64Value: number))
      values.append(Scalars(sint64Value: number))
      values.append(Scalars(sfixed64Value: number))
    }
    for number in [UInt32(1), 127, 128, .max] {
      values.append(Scalars(uint32Value: number))
      values.append(Scalars(fixed32Value: number))
    }
    for number in [UInt64(1), 1 << 32, 1 << 63, .max] {
      values.append(Scalars(uint64Value: number))
      values.append(Scalars(fixed64Value: number))
    }
    return values + [Scalars(boolValue: true)]
  }()

  private static let floatingPoint: [Scalars] = {
    let floats: [Float] = [.leastNonzeroMagnitude, -1.5, .greatestFiniteMagnitude, -.infinity]
    let doubles: [Double] = [.leastNonzeroMagnitude, -1.5, .greatestFiniteMagnitude, .infinity]
    return floats.map { Scalars(floatValue: $0) } + doubles.map { Scalars(doubleValue: $0) }
  }()

  private static let texts: [Scalars] = {
    let strings = ["\0", "a\0b\0", "é", "👩‍👩‍👧", "\u{10FFFF}", String(repeating: "x", count: 5000)]
    let bytes: [[UInt8]] = [[0], Array(0...255), Array(repeating: 7, count: 200_000)]
    return strings.map { Scalars(stringValue: $0) } + bytes.map { Scalars(bytesValue: $0) }
  }()

  @Test(arguments: edges)
  func `an edge value survives a round trip`(_ value: Scalars) throws {
    #expect(try Scalars(serialized: value.serialized()) == value)
  }

  @Test func `a list of every type survives a round trip`() throws {
    let value = Lists(
      int32Values: [.min, 0, .max],
      int64Values: [.min, 0, .max],
      uint32Values: [0, .max],
      uint64Values: [0, .max],
      sint32Values: [.min, 0, .max],
      sint64Values: [.min, 0, .max],
      fixed32Values: [0, .max],
      fixed64Values: [0, .max],
      sfixed32Values: [.min, .max],
      sfixed64Values: [.min, .max],
      floatValues: [-0.0, .infinity],
      doubleValues: [-0.0, 1e300],
      boolValues: [false, true],
      stringValues: ["", "\0", "é"],
      bytesValues: [[], [0], [255]],
      colourValues: [.unspecified, .belowZero, .unrecognized(1000)],
      unpackedValues: [0, -1]
    )
    #expect(try Lists(serialized: value.serialized()) == value)
  }

  @Test func `a NaN stays a NaN`() throws {
    let value = Scalars(floatValue: .nan, doubleValue: .nan)
    let decoded = try Scalars(serialized: value.serialized())
    #expect(decoded.floatValue.isNaN && decoded.doubleValue.isNaN)
  }

  @Test func `a negative zero is treated as the default value`() {
    #expect(Scalars(floatValue: -0.0, doubleValue: -0.0).serialized() == [])
  }

  @Test func `a field with its default value is not encoded`() {
    let value = Scalars(
      int32Value: 0,
      boolValue: false,
      stringValue: "",
      bytesValue: [],
      colourValue: .unspecified
    )
    #expect(value.serialized() == [])
  }

  @Test func `an optional field distinguishes zero from absent`() throws {
    #expect(try Rich(serialized: Rich(pageSize: 0).serialized()).pageSize == 0)
    #expect(try Rich(serialized: Rich(note: "").serialized()).note == "")
    #expect(try Rich(serialized: [UInt8]()) == Rich())
    #expect(Rich().pageSize == nil && Rich().note == nil)
  }

  static let choices: [Rich.Choice] = [
    .text(""), .text("t"), .blob([]), .blob([1]), .flag(false), .flag(true),
    .colour(.unspecified), .colour(.unrecognized(-9)), .point(Rich.Point()), .big(0),
  ]

  @Test(arguments: choices)
  func `a oneof keeps its case, even with a default value`(_ choice: Rich.Choice) throws {
    #expect(try Rich(serialized: Rich(choice: choice).serialized()).choice == choice)
  }

  @Test func `an enum keeps an unknown number`() throws {
    let bytes = hex("8001E807")
    let value = try Scalars(serialized: bytes)
    #expect(value.colourValue == .unrecognized(1000))
    #expect(value.colourValue.rawValue == 1000)
    #expect(value.serialized() == bytes)
  }

  @Test func `a known enum number is never unrecognized`() {
    #expect(Colour(rawValue: 7) == .blue)
    #expect(Colour(rawValue: -3) == .belowZero)
    #expect(Colour() == .unspecified)
  }

  @Test func `a recursive message survives a round trip`() throws {
    let value = Tree(
      name: "a",
      left: Tree(name: "b", left: Tree(name: "c")),
      children: [Tree(name: "d")],
      way: .here(Tree(name: "e", way: .there(1)))
    )
    #expect(try Tree(serialized: value.serialized()) == value)
  }

  @Test func `a recursive field can be set and cleared`() {
    var value = Tree(left: Tree(name: "b"))
    value.left?.name = "c"
    #expect(value.left == Tree(name: "c"))
    value.left = nil
    #expect(value == Tree())
  }
}
