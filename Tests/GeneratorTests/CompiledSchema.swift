import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

@testable import generator

/// The descriptor set that protoc makes from the text of a file `test.proto`.
struct CompiledSchema {
  struct Refused: Error {}

  let set: Google_Protobuf_FileDescriptorSet

  init(_ text: String) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = folder.appendingPathComponent("test.proto")
    let output = folder.appendingPathComponent("set")
    try Data(text.utf8).write(to: source)
    let protoc = Process()
    protoc.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    protoc.arguments = [
      "protoc", "-I\(folder.path)", "-I/usr/include", "--include_imports",
      "--include_source_info", "--descriptor_set_out=\(output.path)", "test.proto",
    ]
    try protoc.run()
    protoc.waitUntilExit()
    guard protoc.terminationStatus == 0 else { throw Refused() }
    set = try Google_Protobuf_FileDescriptorSet(serializedBytes: Data(contentsOf: output))
  }

  /// Returns the Swift code that the generator makes from `test.proto`.
  func swift(_ options: String...) throws -> String {
    let descriptors = DescriptorSet(proto: set)
    guard let file = descriptors.fileDescriptor(named: "test.proto") else { throw Refused() }
    let arguments = try Arguments(["swift", "--c-module", "CTest"] + options)
    let schema = try Schema(files: [file], options: SwiftOptions(arguments))
    return try SwiftFile(file, schema: schema).text
  }
}
