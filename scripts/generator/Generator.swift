import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The program, which reads a descriptor set and writes one kind of output.
///
/// It is called by `scripts/generate`, which shows the order of the steps.
@main
enum Generator {
  static let usage = """
    usage: generator rewrite  --descriptors SET --output SET
           generator c-module --descriptors SET --output DIRECTORY --c-module MODULE
                              [--descriptor-set ENUM] PROTO...
           generator swift    --descriptors SET --output DIRECTORY --c-module MODULE
                              [--visibility public|package|internal] [--prefix PREFIX]
                              [--service-module MODULE]
                              [--immediate SERVICE.METHOD]... [--deferred SERVICE.METHOD]...
                              [--descriptor-set ENUM] PROTO...

    rewrite   converts a descriptor set to the one for protoc-c
    c-module  writes the header and the module map that make protoc-c's output one Clang module
    swift     writes one Swift file for each .proto file

    The handler of a unary method is async. With --immediate it returns its response at once; with
    --deferred it passes its response to a completion.

    With --descriptor-set, the C module also contains the serialized schema, and the Swift files
    contain the enum ENUM, which returns it. c-module accepts the other options of swift and ignores
    them.
    """

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("generator: \(error)\n".utf8))
      exit(1)
    }
  }

  static func run(_ words: [String]) throws {
    let arguments = try Arguments(words)
    let input = try Data(contentsOf: URL(fileURLWithPath: arguments.required("descriptors")))
    let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: input)
    let output = URL(fileURLWithPath: try arguments.required("output"))
    switch arguments.command {
    case "rewrite":
      try DescriptorRewrite.rewrite(set).serializedData().write(to: output)
    case "c-module":
      let files = try schemaFiles(set, named: arguments.files)
      let options = try SwiftOptions(arguments)
      let module = CModule(
        name: options.cModule, files: files, hasDescriptorSet: options.descriptorSet != nil)
      let include = output.appendingPathComponent("include")
      try write(module.header, to: include.appendingPathComponent("\(module.name).h"))
      try write(module.moduleMap, to: include.appendingPathComponent("module.modulemap"))
      if module.hasDescriptorSet {
        try write(
          DescriptorSetFile(set, module: module.name).source,
          to: output.appendingPathComponent("descriptor_set.c"))
      }
    case "swift":
      let files = try schemaFiles(set, named: arguments.files)
      let options = try SwiftOptions(arguments)
      let schema = try Schema(files: files, options: options)
      for file in files {
        let name =
          String(file.name.dropLast(".proto".count)).replacing("/", with: "_") + ".pb.swift"
        try write(
          try SwiftFile(file, schema: schema).text,
          to: output.appendingPathComponent(name)
        )
      }
      if let name = options.descriptorSet {
        try write(
          DescriptorSetFile.swift(name, options: options),
          to: output.appendingPathComponent("descriptor_set.swift"))
      }
    default:
      throw GeneratorError(usage)
    }
  }

  private static func schemaFiles(
    _ set: Google_Protobuf_FileDescriptorSet,
    named names: [String]
  ) throws -> [FileDescriptor] {
    let descriptors = DescriptorSet(proto: set)
    return try names.map { name in
      guard let file = descriptors.fileDescriptor(named: name) else {
        throw GeneratorError("\(name) is not in the descriptor set")
      }
      return file
    }
  }

  private static func write(_ text: String, to url: URL) throws {
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(),
      withIntermediateDirectories: true
    )
    try Data(text.utf8).write(to: url)
  }
}
