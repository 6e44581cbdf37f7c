import Testing

@testable import generator

@Suite struct NamingTests {
  static let properties: [(String, String)] = [
    ("user_id", "userID"), ("file_url", "fileURL"), ("page_size", "pageSize"), ("id", "id"),
    ("url", "url"), ("reservation_ids", "reservationIDs"), ("json_text", "jsonText"),
    ("request_json", "requestJSON"), ("fileURL", "fileURL"), ("x", "x"),
    ("int32_value", "int32Value"),
    ("class", "`class`"), ("in", "`in`"), ("self", "self_"), ("init", "init_"),
    ("hash_value", "hashValue_"),
  ]

  @Test(arguments: properties)
  func `a field has a Swift name`(_ field: String, _ property: String) {
    #expect(SwiftNames.escaped(SwiftNames.lowerCamel(field)) == property)
  }

  static let enums: [(String, String)] = [
    ("enum Op { OP_UNSPECIFIED = 0; OP_A_B = 1; }", "case unspecified\n  case aB\n"),
    ("enum JobState { JOB_STATE_DEFAULT = 0; }", "case `default`\n"),
    ("enum E { E_1 = 0; }", "case _1\n"),
    ("enum E { OTHER = 0; E_X = 1; }", "case other\n  case eX\n"),
  ]

  @Test(arguments: enums)
  func `an enum case loses its prefix if all values have it`(_ text: String, _ cases: String) throws
  {
    let swift = try CompiledSchema("syntax = 'proto3'; package p; \(text)").swift()
    #expect(swift.contains(cases))
  }

  @Test func `only top-level types get the prefix`() throws {
    let swift = try CompiledSchema(
      "syntax = 'proto3'; package p; message M { message N {} N n = 1; E e = 2; } "
        + "enum E { E_A = 0; }"
    ).swift("--prefix", "Wire", "--visibility", "package")
    #expect(swift.contains("package struct WireM: ProtobufMessage {"))
    #expect(swift.contains("package struct N: ProtobufMessage {"))
    #expect(swift.contains("package var n: WireM.N? = nil"))
    #expect(swift.contains("package enum WireE: ProtobufEnum {"))
    #expect(swift.contains("package import ProtobufC"))
  }
}
