import SwiftProtobuf
import SwiftProtobufPluginLibrary
import Testing

@testable import generator

/// The descriptor set as bytes in the generated code.
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

  @Test func `the descriptor set has all imports, but the comments of generated files only`() throws
  {
    let source = try DescriptorSetFile(schema.set, module: "CTest").source
    let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: Self.array(in: source))
    #expect(set.file.map(\.name) == ["google/protobuf/timestamp.proto", "test.proto"])
    #expect(set.file.first?.hasSourceCodeInfo == false)
    let comments = set.file.last?.sourceCodeInfo.location.map(\.leadingComments)
    #expect(comments?.contains(" Ours.\n") == true)
  }

  @Test(arguments: [true, false])
  func `the header declares the descriptor set if it is requested`(_ isRequested: Bool) throws {
    let descriptors = DescriptorSet(proto: schema.set)
    let file = try #require(descriptors.fileDescriptor(named: "test.proto"))
    let module = CModule(name: "CTest", files: [file], hasDescriptorSet: isRequested)
    #expect(
      module.header.contains("extern const uint8_t ctest_descriptor_set[];") == isRequested)
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
