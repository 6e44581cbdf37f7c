import DynamicMessages
import Testing

@Suite struct RefusalTests {
  static let refused: [(type: String, json: String, complaint: String)] = [
    ("Scalars", #"{"int32Value":2147483648}"#, "int32Value: 2147483648 is out of range for int32"),
    (
      "Scalars", #"{"int64Value":"9223372036854775808"}"#,
      "int64Value: 9223372036854775808 is out of range for int64"
    ),
    (
      "Scalars", #"{"uint64Value":18446744073709551616}"#,
      "uint64Value: 18446744073709551616 is out of range for uint64"
    ),
    ("Scalars", #"{"uint32Value":-1}"#, "uint32Value: -1 is out of range for uint32"),
    ("Scalars", #"{"int32Value":1.5}"#, "int32Value: 1.5 is no integer"),
    (
      "Scalars", #"{"int32Value":1e-99999999999999999999}"#,
      "int32Value: 1e-99999999999999999999 is no integer"
    ),
    (
      "Scalars", #"{"int32Value":1e99999999999999999999}"#,
      "int32Value: 1e99999999999999999999 is out of range for int32"
    ),
    ("Scalars", #"{"int32Value":" 1"}"#, #"int32Value: " 1" is no int32"#),
    ("Scalars", #"{"int32Value":"1 "}"#, #"int32Value: "1 " is no int32"#),
    ("Scalars", #"{"int32Value":"0x1"}"#, #"int32Value: "0x1" is no int32"#),
    ("Scalars", #"{"int32Value":""}"#, #"int32Value: "" is no int32"#),
    ("Scalars", #"{"int32Value":true}"#, "int32Value: a boolean is no int32"),
    ("Scalars", #"{"doubleValue":1e400}"#, "doubleValue: 1e400 is out of range for double"),
    ("Scalars", #"{"floatValue":1e39}"#, "floatValue: 1e39 is out of range for float"),
    ("Scalars", #"{"floatValue":"inf"}"#, #"floatValue: "inf" is no float"#),
    ("Scalars", #"{"boolValue":1}"#, "boolValue: a number is no bool"),
    ("Scalars", #"{"stringValue":1}"#, "stringValue: a number is no string"),
    ("Scalars", #"{"bytesValue":"A"}"#, "bytesValue: bytes are a string in base64"),
    ("Scalars", #"{"bytesValue":"A==="}"#, "bytesValue: bytes are a string in base64"),
    ("Scalars", #"{"bytesValue":"AA=A"}"#, "bytesValue: bytes are a string in base64"),
    (
      "Scalars", #"{"colourValue":"RAD"}"#,
      #"colourValue: "RAD" is no value of dynamic.test.Colour; did you mean RED?"#
    ),
    (
      "Scalars", #"{"colourValue":2147483648}"#,
      "colourValue: 2147483648 is out of range for int32"
    ),
    (
      "Scalars", #"{"stringValeu":""}"#,
      "stringValeu: dynamic.test.Scalars has no such field; did you mean stringValue?"
    ),
    (
      "Scalars", #"{"entirelyDifferent":""}"#,
      "entirelyDifferent: dynamic.test.Scalars has no such field"
    ),
    (
      "Scalars", #"{"int32Value":1,"int32_value":1}"#,
      "int32_value: the field is there under both its names"
    ),
    ("Scalars", "[]", "an array is no dynamic.test.Scalars, which is an object"),
    ("Scalars", "null", "null is no dynamic.test.Scalars, which is an object"),
    ("Rich", #"{"points":[{},{"x":"y"}]}"#, #"points[1].x: "y" is no sint32"#),
    (
      "Rich", #"{"places":{"7":{"z":1}}}"#,
      #"places["7"].z: dynamic.test.Rich.Point has no such field; did you mean x?"#
    ),
    ("Rich", #"{"places":{"x":{}}}"#, #"places["x"]: "x" is no int64"#),
    ("Rich", #"{"places":{"1":{},"1.0":{}}}"#, #"places["1.0"]: the key is there twice"#),
    ("Rich", #"{"flags":{"TRUE":1}}"#, #"flags["TRUE"]: the key is true or false"#),
    ("Rich", #"{"counts":{"a":null}}"#, #"counts["a"]: null is no int32"#),
    ("Rich", #"{"counts":[]}"#, "counts: an array is no object, and the field is a map"),
    ("Rich", #"{"numbers":1}"#, "numbers: a number is no list, and the field is repeated"),
    ("Rich", #"{"names":[null]}"#, "names[0]: null is no string"),
    (
      "Rich", #"{"name":"","big":1}"#,
      "big: name is set as well, and only one of choice can be"
    ),
    (
      "Rich", #"{"child":{"child":{"nothing":null,"name":"x"}}}"#,
      "child.child.name: nothing is set as well, and only one of choice can be"
    ),
    ("Known", #"{"any":{"value":1}}"#, #"any: an Any says its type in "@type""#),
    (
      "Known", #"{"any":{"@type":"t/no.Such"}}"#,
      #"any.@type: the type no.Such is not known; its bytes can be given in base64 as "@bytes""#
    ),
    (
      "Known", #"{"any":{"@type":"dynamic.test.Rich"}}"#,
      "any.@type: a type is written as in type.googleapis.com/google.protobuf.Empty"
    ),
    (
      "Known", #"{"any":{"@type":"t/google.protobuf.Duration"}}"#,
      #"any: an Any of google.protobuf.Duration has it in "value", and nothing else"#
    ),
    ("Known", #"{"object":[]}"#, "object: an array is no Struct, which is an object"),
    ("Known", #"{"list":{}}"#, "list: an object is no ListValue, which is an array"),
    ("Known", #"{"value":{"a":[1e999]}}"#, #"value["a"][0]: 1e999 is out of range for double"#),
  ]

  @Test(arguments: refused)
  func whatDoesNotFitIsRefusedByItsPath(
    _ message: (type: String, json: String, complaint: String)
  ) throws {
    let type = try Protoc.schema().message("dynamic.test." + message.type)
    let error = #expect(throws: DynamicMessageError.self) {
      try type.binary(fromJSON: message.json)
    }
    #expect(error?.code == .value)
    #expect(error?.description == message.complaint)
  }

  @Test(arguments: [
    "", "2026-01-01", "2026-01-01T00:00:00", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
    "2026-01-01T24:00:00Z", "2026-01-01T23:59:60Z", "2026-01-01t00:00:00z",
    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z", "0000-12-31T23:59:59Z",
    "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "10000-01-01T00:00:00Z",
    "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00Z ", "+026-01-01T00:00:00Z",
  ])
  func whatIsNoTimeIsRefused(_ text: String) throws {
    let type = try Protoc.schema().message("google.protobuf.Timestamp")
    #expect(throws: DynamicMessageError.self) { try type.binary(fromJSON: .string(text)) }
  }

  @Test(arguments: [
    "", "1", "s", "1.s", ".5s", "1.0000000001s", "+1s", "--1s", "315576000001s",
    "315576000000.1s", "9999999999999999999s", "1s ", "1e3s",
  ])
  func whatIsNoDurationIsRefused(_ text: String) throws {
    let type = try Protoc.schema().message("google.protobuf.Duration")
    #expect(throws: DynamicMessageError.self) { try type.binary(fromJSON: .string(text)) }
  }

  @Test func aProto2MessageNeedsWhatIsRequiredAndKnowsItsEnums() throws {
    let type = try Protoc.schema().message("Old")
    let missing = #expect(throws: DynamicMessageError.self) {
      try type.binary(fromJSON: #"{"pair":{"inner":{}},"id":1}"#)
    }
    #expect(
      missing?.description
        == "pair.inner: the required field id of dynamic.old.Old is not there")
    let closed = #expect(throws: DynamicMessageError.self) {
      try type.binary(fromJSON: #"{"id":1,"size":2}"#)
    }
    #expect(closed?.description == "size: 2 is no value of dynamic.old.Old.Size")
  }

  @Test func messagesAreNestedAHundredTimesAtMost() throws {
    let type = try Protoc.schema().message("Rich")
    func nested(_ depth: Int) -> JSONValue {
      (1..<depth).reduce(JSONValue.object([])) { inner, _ in
        .object([JSONValue.Member("child", inner)])
      }
    }
    let bytes = try type.binary(fromJSON: nested(100))
    #expect(try type.json(fromBinary: bytes) == nested(100))
    #expect(throws: DynamicMessageError.self) { try type.binary(fromJSON: nested(101)) }
    let value = try Protoc.schema().message("google.protobuf.Value")
    let list = (0..<60).reduce(JSONValue.null) { inner, _ in .array([inner]) }
    #expect(throws: DynamicMessageError.self) { try value.binary(fromJSON: list) }
  }
}
