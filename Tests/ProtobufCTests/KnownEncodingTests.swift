import ProtobufC
import Testing

/// Values and their encodings by `protoc --encode` 3.21.12.
@Suite struct KnownEncodingTests {
  static let samples: [(any ProtobufMessage, String)] = [
    (Scalars(), ""),
    (Empty(), ""),
    (
      Scalars(
        int32Value: -1,
        int64Value: .min,
        uint32Value: .max,
        uint64Value: .max,
        sint32Value: .min,
        sint64Value: -1,
        fixed32Value: 1,
        fixed64Value: 2,
        sfixed32Value: -1,
        sfixed64Value: -2,
        floatValue: 1.5,
        doubleValue: -0.25,
        boolValue: true,
        stringValue: "a\0bé",
        bytesValue: [0, 255],
        colourValue: .belowZero
      ),
      """
      08FFFFFFFFFFFFFFFFFF01 1080808080808080808001 18FFFFFFFF0F 20FFFFFFFFFFFFFFFFFF01
      28FFFFFFFF0F 3001 3D01000000 410200000000000000 4DFFFFFFFF 51FEFFFFFFFFFFFFFF
      5D0000C03F 61000000000000D0BF 6801 7205610062C3A9 7A0200FF 8001FDFFFFFFFFFFFFFFFF01
      """
    ),
    (
      Lists(
        int32Values: [1, -1, 150],
        sint64Values: [-3, 64],
        fixed32Values: [7, 8],
        doubleValues: [1],
        boolValues: [true, false],
        stringValues: ["", "x"],
        bytesValues: [[]],
        colourValues: [.red, .unrecognized(99)],
        unpackedValues: [5, 6]
      ),
      """
      0A0D01FFFFFFFFFFFFFFFFFF019601 3203058001 3A080700000008000000 6208000000000000F03F
      6A020100 7200 720178 7A00 8201020163 880105 880106
      """
    ),
    (
      Rich(
        userID: "u",
        pageSize: 0,
        note: "",
        choice: .point(Rich.Point(x: -1, y: 2, kind: .corner, labels: ["l"])),
        origin: Rich.Point(),
        points: [Rich.Point(x: 1), Rich.Point(y: 300)],
        createTime: Moment(seconds: 1_700_000_000, nanos: 5),
        fileURLs: ["f"],
        favourite: .blue
      ),
      """
      0A0175 1000 1A00 4209080110041801 22016C 5200 5A020802 5A0310D804 620808 80E2CFAA061005
      6A0166 7007
      """
    ),
    (
      Rich(choice: .big(.max), scalars: Scalars(uint64Value: 9_007_199_254_740_993)),
      "49FFFFFFFFFFFFFFFF 7A0920 8180808080808010"
    ),
    (
      Tree(
        name: "r",
        left: Tree(name: "l"),
        children: [Tree(name: "c", children: [Tree()])],
        way: .there(7)
      ),
      "0A0172 12030A016C 1A050A01631A00 2807"
    ),
    (
      Words(
        class: "a",
        int: 1,
        base: [98],
        self_: "s",
        init_: "i",
        default: ["d"],
        in: true,
        hashValue_: "h",
        c: "c",
        arena: "x",
        source: "y",
        switch: .case("z")
      ),
      "0A0161 1001 1A0162 220173 2A0169 320164 3801 420168 4A0163 520178 5A0179 62017A"
    ),
  ]

  @Test(arguments: samples)
  func `a value is encoded to the same bytes as by protoc`(
    _ value: any ProtobufMessage, _ bytes: String
  ) {
    #expect(value.serialized() == hex(bytes))
  }

  @Test(arguments: samples)
  func `bytes from protoc are decoded to the value`(
    _ value: any ProtobufMessage,
    _ bytes: String
  ) throws {
    func decoded<M: ProtobufMessage>(_ value: M) throws -> Bool {
      try M(serialized: hex(bytes)) == value
    }
    #expect(try decoded(value))
  }

  @Test func `a message type has its full name`() {
    #expect(Rich.Point.fullName == "bridge.test.Rich.Point")
  }
}
