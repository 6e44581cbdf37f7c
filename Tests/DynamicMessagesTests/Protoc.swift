import DynamicMessages
import Foundation
import Testing

/// The output of protoc for the protos in `Messages`, made in this run.
enum Protoc {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().path + "/Messages"

  static let descriptorSet = Result {
    try run([
      "--include_imports", "--include_source_info", "--descriptor_set_out=/dev/stdout",
      "dynamic.proto", "old.proto",
    ])
  }

  static func schema() throws -> Schema {
    try Schema(fileDescriptorSet: descriptorSet.get())
  }

  /// Text format as binary, by protoc.
  static func encode(_ text: String, _ type: String) throws -> [UInt8] {
    try run(["--encode=\(type)", "--deterministic_output", file(type)], input: Array(text.utf8))
  }

  /// Binary as text format, by protoc.
  static func decode(_ bytes: [UInt8], _ type: String) throws -> String {
    String(decoding: try run(["--decode=\(type)", file(type)], input: bytes), as: UTF8.self)
  }

  private static func file(_ type: String) -> String {
    type.hasPrefix("dynamic.old") ? "old.proto" : "dynamic.proto"
  }

  private static func run(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["protoc", "--proto_path=\(folder)"] + arguments
    let given = Pipe()
    let made = Pipe()
    process.standardInput = given
    process.standardOutput = made
    try process.run()
    // All inputs fit into a pipe.
    try given.fileHandleForWriting.write(contentsOf: Data(input))
    try given.fileHandleForWriting.close()
    let output = try made.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "protoc \(arguments)")
    return Array(output)
  }
}
