import DynamicMessages
import Testing

/// JSON, and the same message in protoc's text format.
@Suite struct GoldenTests {
  static let messages: [(type: String, json: String, text: String)] = [
    ("dynamic.test.Scalars", "{}", ""),
    (
      "dynamic.test.Scalars",
      #"""
      {"int32Value":-2147483648,"int64Value":"-9223372036854775808","uint32Value":4294967295,
      "uint64Value":"18446744073709551615","sint32Value":-2147483648,
      "sint64Value":"9223372036854775807","fixed32Value":1,"fixed64Value":"2",
      "sfixed32Value":-3,"sfixed64Value":"-4","floatValue":0.1,"doubleValue":-0.25,
      "boolValue":true,"stringValue":"a\u0000\"\\é👩\u001b","bytesValue":"AP/+",\#
      "colourValue":"BELOW"}
      """#,
      #"""
      int32_value: -2147483648 int64_value: -9223372036854775808 uint32_value: 4294967295
      uint64_value: 18446744073709551615 sint32_value: -2147483648
      sint64_value: 9223372036854775807 fixed32_value: 1 fixed64_value: 2
      sfixed32_value: -3 sfixed64_value: -4 float_value: 0.1 double_value: -0.25
      bool_value: true string_value: "a\000\"\\é👩\033" bytes_value: "\000\377\376"
      colour_value: BELOW
      """#
    ),
    (
      "dynamic.test.Scalars", #"{"floatValue":"NaN","doubleValue":"-Infinity","colourValue":77}"#,
      "float_value: nan double_value: -inf colour_value: 77"
    ),
    (
      "dynamic.test.Scalars", #"{"floatValue":-0,"doubleValue":-0,"boolValue":true}"#,
      "float_value: -0.0 double_value: -0.0 bool_value: true"
    ),
    (
      "dynamic.test.Rich",
      #"""
      {"numbers":[1,-1,0],"unpacked":[5,6],"names":["","x"],"points":[{},{"x":-1,"y":2}],
      "colours":["RED","NONE",9],"doubles":[1.5,"Infinity"],"counts":{"":0,"k":7},
      "places":{"-9223372036854775808":{"x":1}},"flags":{"false":"BLUE","true":"NONE"},"maybe":0,
      "place":{},"child":{"child":{"name":""}},"scalars":{},"other":"r"}
      """#,
      #"""
      numbers: [1, -1, 0] unpacked: [5, 6] names: ["", "x"] points {} points { x: -1 y: 2 }
      colours: [RED, NONE, 9] doubles: [1.5, inf] counts { key: "" value: 0 }
      counts { key: "k" value: 7 } places { key: -9223372036854775808 value { x: 1 } }
      flags { key: false value: BLUE } flags { key: true value: NONE } maybe: 0 place {}
      child { child { name: "" } } scalars {} renamed_field: "r"
      """#
    ),
    ("dynamic.test.Rich", #"{"nothing":null}"#, "nothing: NULL_VALUE"),
    (
      "dynamic.test.Known",
      #"""
      {"time":"2026-02-28T23:59:59.000000001Z","span":"-1.500s","mask":"user.displayName,photo",
      "object":{"a":[1,-2.5,"x",null,true,{}]},"value":null,"list":[[],{"k":"v"}],"empty":{},
      "boolBox":false,"bytesBox":"","doubleBox":0,"floatBox":1.5,"int32Box":-1,"int64Box":"-1",
      "stringBox":"","uint32Box":0,"uint64Box":"18446744073709551615","values":[null,1],
      "named":{"n":null},"boxes":["0","1"]}
      """#,
      #"""
      time { seconds: 1772323199 nanos: 1 } span { seconds: -1 nanos: -500000000 }
      mask { paths: "user.display_name" paths: "photo" }
      object { fields { key: "a" value { list_value {
        values { number_value: 1 } values { number_value: -2.5 } values { string_value: "x" }
        values { null_value: NULL_VALUE } values { bool_value: true } values { struct_value {} }
      } } } }
      value { null_value: NULL_VALUE }
      list { values { list_value {} } values {
        struct_value { fields { key: "k" value { string_value: "v" } } } } }
      empty {} bool_box {} bytes_box {} double_box {} float_box { value: 1.5 }
      int32_box { value: -1 } int64_box { value: -1 } string_box {} uint32_box {}
      uint64_box { value: 18446744073709551615 } values { null_value: NULL_VALUE }
      values { number_value: 1 } named { key: "n" value { null_value: NULL_VALUE } }
      boxes {} boxes { value: 1 }
      """#
    ),
    (
      "dynamic.test.Known",
      #"{"any":{"@type":"type.googleapis.com/dynamic.test.Rich.Point","x":-1}}"#,
      "any { [type.googleapis.com/dynamic.test.Rich.Point] { x: -1 } }"
    ),
    (
      "dynamic.test.Known",
      #"{"any":{"@type":"x/google.protobuf.Duration","value":"0.000001s"}}"#,
      #"any { type_url: "x/google.protobuf.Duration" value: "\020\350\007" }"#
    ),
    (
      "dynamic.test.Known", #"{"any":{"@type":"x/google.protobuf.Empty"}}"#,
      #"any { type_url: "x/google.protobuf.Empty" }"#
    ),
    (
      "dynamic.test.Known", #"{"any":{"@type":"x/not.Known","@bytes":"/w=="}}"#,
      #"any { type_url: "x/not.Known" value: "\377" }"#
    ),
    (
      "dynamic.old.Old",
      #"""
      {"id":0,"text":"","size":"SMALL","numbers":[1,2],"sizes":["LARGE"],
      "pair":{"left":3,"inner":{"id":7}},"item":[{},{"name":"n"}]}
      """#,
      #"""
      id: 0 text: "" size: SMALL numbers: [1, 2] sizes: LARGE Pair { left: 3 inner { id: 7 } }
      Item {} Item { name: "n" }
      """#
    ),
  ]

  @Test(arguments: messages)
  func jsonBecomesTheBytesThatProtocMakes(
    _ message: (type: String, json: String, text: String)
  ) throws {
    let type = try Protoc.schema().message(message.type)
    #expect(try type.binary(fromJSON: message.json) == Protoc.encode(message.text, message.type))
  }

  @Test(arguments: messages)
  func theBytesThatProtocMakesBecomeJSON(
    _ message: (type: String, json: String, text: String)
  ) throws {
    let type = try Protoc.schema().message(message.type)
    let json = try type.json(fromBinary: Protoc.encode(message.text, message.type))
    #expect(json.text() == message.json.replacing("\n", with: ""))
  }

  /// Other writings of what has one writing in binary.
  static let accepted: [(type: String, json: String, text: String)] = [
    (
      "Scalars",
      #"{"int32_value":"-1","int64_value":1e2,"uint32_value":10.0,"#
        + #""uint64_value":1.8446744073709551615e19}"#,
      "int32_value: -1 int64_value: 100 uint32_value: 10 uint64_value: 18446744073709551615"
    ),
    (
      "Scalars", #"{"int64Value":9223372036854775807,"sfixed64Value":-9223372036854775808}"#,
      "int64_value: 9223372036854775807 sfixed64_value: -9223372036854775808"
    ),
    ("Scalars", #"{"int32Value":0e99999999999999999999,"uint32Value":5000e-3}"#, "uint32_value: 5"),
    ("Scalars", #"{"bytesValue":"_-8"}"#, #"bytes_value: "\377\357""#),
    ("Scalars", #"{"bytesValue":"/+8="}"#, #"bytes_value: "\377\357""#),
    (
      "Scalars", #"{"colourValue":2,"floatValue":"1e1","doubleValue":"NaN"}"#,
      "colour_value: BLUE float_value: 10 double_value: nan"
    ),
    ("Scalars", #"{"int32Value":null,"stringValue":null,"colourValue":"NONE"}"#, ""),
    (
      "Rich", #"{"numbers":null,"counts":null,"maybe":null,"name":null,"place":null,"big":1}"#,
      "big: 1"
    ),
    (
      "Rich", #"{"renamed_field":"a","places":{"1":{}}}"#,
      #"renamed_field: "a" places { key: 1 value {} }"#
    ),
    ("Rich", #"{"name":"👩","numbers":[]}"#, #"name: "👩""#),
    ("Rich", #"{"name":"\ud83d\udc69\/\b\f\n\r\t"}"#, #"name: "👩/\010\014\n\r\t""#),
    (
      "Known", #"{"time":"1970-01-01T01:00:00+01:00","span":"0.1s"}"#,
      "time {} span { nanos: 100000000 }"
    ),
    (
      "Known", #"{"time":"0001-01-01T00:00:00Z","span":"315576000000s"}"#,
      "time { seconds: -62135596800 } span { seconds: 315576000000 }"
    ),
    (
      "Known", #"{"time":"9999-12-31T23:59:59.999999999Z","span":"-315576000000s"}"#,
      "time { seconds: 253402300799 nanos: 999999999 } span { seconds: -315576000000 }"
    ),
    ("Known", #"{"time":"2000-02-29T00:00:00-00:30"}"#, "time { seconds: 951784200 }"),
    ("Known", #"{"mask":"","nothing":null,"any":{}}"#, "mask {} any {}"),
    (
      "Known", #"{"nothing":"NULL_VALUE","any":{"x":null,"@type":"t/dynamic.test.Rich.Point"}}"#,
      #"any { type_url: "t/dynamic.test.Rich.Point" }"#
    ),
  ]

  @Test(arguments: accepted)
  func whatHasSeveralWritingsIsReadInEach(
    _ message: (type: String, json: String, text: String)
  ) throws {
    let type = "dynamic.test." + message.type
    let bytes = try Protoc.schema().message(type).binary(fromJSON: message.json)
    #expect(try bytes == Protoc.encode(message.text, type))
  }

  @Test func defaultsAndNamesOfTheProtoAreShownWhereAsked() throws {
    let type = try Protoc.schema().message("dynamic.test.Rich.Point")
    #expect(
      try type.json(fromBinary: [], JSONOptions(showsDefaults: true)).text() == #"{"x":0,"y":0}"#)
    let rich = try Protoc.schema().message("dynamic.test.Rich")
    let options = JSONOptions(showsDefaults: true, usesProtoNames: true)
    #expect(
      try rich.json(fromBinary: [], options).text()
        == #"{"numbers":[],"unpacked":[],"names":[],"points":[],"colours":[],"doubles":[],"#
        + #""counts":{},"places":{},"flags":{},"renamed_field":"","colour":"NONE","gone":0}"#)
  }

  /// Seconds as Python's `datetime` counts them.
  static let days: [(text: String, seconds: Int64)] = [
    ("0001-01-01T00:00:00Z", -62_135_596_800),
    ("0001-02-28T23:59:59Z", -62_130_499_201),
    ("0001-03-01T00:00:00Z", -62_130_499_200),
    ("0400-02-29T12:00:00Z", -49_539_297_600),
    ("1582-10-10T00:00:00Z", -12_219_724_800),
    ("1600-02-29T23:59:59Z", -11_670_912_001),
    ("1600-03-01T00:00:00Z", -11_670_912_000),
    ("1900-02-28T00:00:00Z", -2_203_977_600),
    ("1900-03-01T00:00:00Z", -2_203_891_200),
    ("1969-12-31T23:59:59Z", -1),
    ("1970-01-01T00:00:00Z", 0),
    ("1999-12-31T23:59:59Z", 946_684_799),
    ("2000-02-29T00:00:00Z", 951_782_400),
    ("2000-03-01T00:00:00Z", 951_868_800),
    ("2024-12-31T01:02:03Z", 1_735_606_923),
    ("2100-02-28T00:00:00Z", 4_107_456_000),
    ("2100-03-01T00:00:00Z", 4_107_542_400),
    ("2400-02-29T00:00:00Z", 13_574_563_200),
    ("9999-12-31T23:59:59Z", 253_402_300_799),
  ]

  @Test(arguments: days)
  func aDayHasItsPlaceInTheCalendar(_ day: (text: String, seconds: Int64)) throws {
    let schema = try Protoc.schema()
    let time = try schema.message("google.protobuf.Timestamp")
    let bytes = try time.binary(fromJSON: .string(day.text))
    #expect(try time.json(fromBinary: bytes) == .string(day.text))
    // A duration has the same two fields.
    let span = try schema.message("google.protobuf.Duration").json(fromBinary: bytes)
    #expect(span == .string("\(day.seconds)s"))
  }
}
