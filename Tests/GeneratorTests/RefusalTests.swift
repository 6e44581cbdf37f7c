import Testing

@testable import generator

/// Schemas that the generator refuses, with an error that names the unsupported element.
@Suite struct RefusalTests {
  static let refused: [(String, String)] = [
    ("message M { map<string, string> pairs = 1; }", "p.M.pairs: map fields are not supported"),
    (
      "message M { optional int32 a = 1; }",
      "p.M.a: 'optional' (use a oneof with one member, which is the same on the wire) is not "
        + "supported"
    ),
    (
      "enum E { option allow_alias = true; E_A = 0; E_B = 0; }",
      "p.E: allow_alias is not supported"
    ),
    (
      "enum E { E_UNSPECIFIED = 0; E_UNRECOGNIZED = 1; }",
      "p.E: the case 'unrecognized' is not supported"
    ),
    (
      "message M {} service S { rpc Get(M) returns (M); }",
      "p.S: a service needs --service-module"
    ),
    (
      "import 'google/protobuf/any.proto'; message M { google.protobuf.Any any = 1; }",
      "google.protobuf.Any is used, but the file that defines it is not given"
    ),
    (
      "message M { oneof user_id { int32 a = 1; int32 b = 2; } int32 userID = 3; }",
      "p.M: two fields have the Swift name 'userID'"
    ),
  ]

  @Test(arguments: refused)
  func `the error names the unsupported element`(_ text: String, _ reason: String) throws {
    let schema = try CompiledSchema("syntax = 'proto3'; package p; \(text)")
    let error = #expect(throws: GeneratorError.self) { try schema.swift() }
    #expect(error?.description == reason)
  }

  @Test(arguments: ["message M { required int32 a = 1; }", "message M { optional int32 a = 1; }"])
  func `a proto2 file is refused`(_ text: String) throws {
    let schema = try CompiledSchema("syntax = 'proto2'; package p; \(text)")
    let error = #expect(throws: GeneratorError.self) { try schema.swift() }
    #expect(error?.description == "test.proto: syntax other than proto3 is not supported")
  }
}
