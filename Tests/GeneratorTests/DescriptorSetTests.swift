import SwiftProtobuf
import SwiftProtobufPluginLibrary
import Testing

@testable import generator

/// The schema as bytes in the program.
@Suite struct DescriptorSetTests {
  private let schema: CompiledSchema

  init() throws {
    schema = try CompiledSchema(
      """
      syntax = "proto3";
      package p;
      import "google/protobuf/timestamp.proto";
      // Ours.
      message M { google.protobuf.Timestamp time = 1; }
      """)
  }

  @Test func itHasTheImportsAndOurCommentsAlone() throws {
    let source = try DescriptorSetFile(schema.set, module: "CTest").source
    let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: Self.array(in: source))
    #expect(set.file.map(\.name) == ["google/protobuf/timestamp.proto", "test.proto"])
    #expect(set.file.first?.hasSourceCodeInfo == false)
    let comments = set.file.last?.sourceCodeInfo.location.map(\.leadingComments)
    #expect(comments?.contains(" Ours.\n") == true)
  }

  @Test(arguments: [true, false])
  func theHeaderDeclaresItWhereItIsAskedFor(_ isAskedFor: Bool) throws {
    let descriptors = DescriptorSet(proto: schema.set)
    let file = try #require(descriptors.fileDescriptor(named: "test.proto"))
    let module = CModule(name: "CTest", files: [file], hasDescriptorSet: isAskedFor)
    #expect(
      module.header.contains("extern const uint8_t ctest_descriptor_set[];") == isAskedFor)
  }

  /// The elements of the only array in a C file.
  private static func array(in source: String) throws -> [UInt8] {
    let start = try #require(source.firstIndex(of: "{"))
    let end = try #require(source.firstIndex(of: "}"))
    return try source[source.index(after: start)..<end]
      .split(whereSeparator: { ", \n".contains($0) })
      .map { try #require(UInt8($0)) }
  }
}
