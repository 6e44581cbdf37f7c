import DynamicMessages
import Testing

@Suite struct SchemaTests {
  @Test func aMethodIsFoundByEachOfItsNames() throws {
    let schema = try Protoc.schema()
    for name in [
      "dynamic.test.Echo/Up", "/dynamic.test.Echo/Up", "dynamic.test.Echo.Up", "Echo/Up", "Up",
    ] {
      let method = try schema.method(name)
      #expect(method.fullName == "dynamic.test.Echo/Up")
      #expect(method.input.fullName == "dynamic.test.Rich")
      #expect(method.output.fullName == "dynamic.test.Scalars")
      #expect(method.isClientStreaming && !method.isServerStreaming && !method.isIdempotent)
    }
    #expect(try schema.method("Echo/Once").isIdempotent)
    #expect(try schema.method("Echo/Down").isServerStreaming)
    #expect(
      try schema.method("Echo/Down").output.json(fromBinary: [0x08, 0x01]).text()
        == #"{"int32Value":1}"#)
  }

  @Test(arguments: [
    ("Echo/Donw", "there is no method Echo/Donw; did you mean dynamic.test.Echo/Down?"),
    (
      "dynamic.test.Ecko/Up",
      "there is no method dynamic.test.Ecko/Up; did you mean dynamic.test.Echo/Up?"
    ),
    ("Entirely/Different", "there is no method Entirely/Different"), ("", "there is no method "),
  ])
  func aMethodThatIsNotThereIsAnErrorWithTheNearest(_ name: String, _ complaint: String) throws {
    let schema = try Protoc.schema()
    let error = #expect(throws: DynamicMessageError.self) { try schema.method(name) }
    #expect(error?.code == .notFound)
    #expect(error?.description == complaint)
  }

  @Test func anEndThatSeveralNamesHaveIsAnError() throws {
    let schema = try Schema(files: [
      Descriptor.file(
        package: "a", messages: [Descriptor.message("M", [])], name: "a.proto"),
      Descriptor.file(package: "b", messages: [Descriptor.message("M", [])], name: "b.proto"),
    ])
    let error = #expect(throws: DynamicMessageError.self) { try schema.message("M") }
    #expect(error?.description == "M may be any of a.M, b.M")
    #expect(try schema.message("b.M").fullName == "b.M")
  }

  @Test func filesComeInAnyOrderAndMoreThanOnce() throws {
    let user = Descriptor.file(
      messages: [Descriptor.message("User", [Descriptor.field("m", 1, type: 11, ".x.Used")])],
      name: "user.proto")
    let used = Descriptor.file(messages: [Descriptor.message("Used", [])], name: "used.proto")
    let schema = try Schema(files: [user, used, user])
    #expect(try schema.message("User").binary(fromJSON: #"{"m":{}}"#) == [0x0A, 0x00])
  }

  static let contradictions: [(descriptor: [UInt8], complaint: String)] = [
    (
      Descriptor.file(messages: [
        Descriptor.message("M", [Descriptor.field("f", 1, type: 11, ".x.N")])
      ]),
      "x.M.f has a type that is not there: x.N"
    ),
    (
      Descriptor.file(messages: [
        Descriptor.message("M", [Descriptor.field("f", 1, type: 14, ".x.M")])
      ]),
      "x.M.f has a type that is not there: x.M"
    ),
    (
      Descriptor.file(messages: [Descriptor.message("M", [Descriptor.field("f", 0, type: 5)])]),
      "x.M.f has the number 0"
    ),
    (
      Descriptor.file(
        messages: [Descriptor.message("M", [Descriptor.field("f", 536_870_912, type: 5)])]),
      "x.M.f has the number 536870912"
    ),
    (
      Descriptor.file(messages: [
        Descriptor.message(
          "M", [Descriptor.field("f", 1, type: 5), Descriptor.field("g", 1, type: 5)])
      ]),
      "x.M has two fields of one number"
    ),
    (
      Descriptor.file(messages: [Descriptor.message("M", []), Descriptor.message("M", [])]),
      "x.M is described twice"
    ),
    (
      Descriptor.file(messages: [
        Descriptor.message("M", [Descriptor.field("f", 1, type: 5, oneof: 3)])
      ]),
      "x.M.f is in a oneof that is not there"
    ),
    (
      Descriptor.file(messages: [
        Descriptor.message("M", [Descriptor.field("key", 1, type: 1)], isMapEntry: true)
      ]),
      "x.M is no entry of a map"
    ),
    (
      Descriptor.file(services: [Descriptor.service("S", method: "Do", ".x.I", ".x.O")]),
      "x.S/Do speaks of x.I, which is not there"
    ),
  ]

  @Test(arguments: contradictions)
  func whatContradictsItselfIsAnError(_ file: (descriptor: [UInt8], complaint: String)) {
    let error = #expect(throws: DynamicMessageError.self) { try Schema(files: [file.descriptor]) }
    #expect(error?.code == .schema)
    #expect(error?.description == "the descriptors are not complete: \(file.complaint)")
  }

  @Test func aWellKnownTypeThatIsDescribedOtherwiseIsReadAsItIsKnown() throws {
    let file = Descriptor.file(
      package: "google.protobuf", messages: [Descriptor.message("Timestamp", [])])
    let type = try Schema(files: [file]).message("Timestamp")
    #expect(try type.json(fromBinary: [0x08, 0x01]).text() == #""1970-01-01T00:00:01Z""#)
  }
}
