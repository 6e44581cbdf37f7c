import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The files to generate, after validation, and the Swift names of their declarations.
struct Schema {
  let options: SwiftOptions
  private let types: [String: String]
  private let graph: MessageGraph

  /// - Throws: `GeneratorError` for a feature that the generator does not support.
  init(files: [FileDescriptor], options: SwiftOptions) throws {
    self.options = options
    try files.forEach(Support.check)
    var types: [String: String] = [:]
    for file in files {
      for message in file.messages {
        Self.name(message, prefix: options.prefix, in: &types)
      }
      for enumeration in file.enums {
        types[enumeration.fullName] = options.prefix + SwiftNames.type(enumeration.name)
      }
    }
    self.types = types
    graph = MessageGraph(files.flatMap(\.messages).flatMap(\.withNested))
  }

  func name(_ message: Descriptor) throws -> String { try name(message.fullName) }

  func name(_ enumeration: EnumDescriptor) throws -> String { try name(enumeration.fullName) }

  /// Returns the name of the nested Swift enum for a oneof with several members.
  func name(_ oneof: OneofDescriptor) -> String {
    let name = SwiftNames.upperCamel(oneof.name)
    let message: Descriptor = oneof.containingType
    let nested = message.messages.map(\.name) + message.enums.map(\.name)
    // A nested type would shadow an outer one of the same name.
    let isTaken = nested.contains(name) || types.values.contains(name)
    return isTaken ? name + "Choice" : name
  }

  /// Returns true if a value of the field may contain a value of the field's own message.
  func isRecursive(_ field: FieldDescriptor) -> Bool {
    guard field.type == .message else { return false }
    return graph.reaches(from: field.messageType.fullName, to: field.containingType.fullName)
  }

  /// Returns true if a serialized message must be scanned before protobuf-c unpacks it.
  func needsScan(_ message: Descriptor) -> Bool { graph.needsScan(message.fullName) }

  private func name(_ fullName: String) throws -> String {
    guard let name = types[fullName] else {
      throw GeneratorError("\(fullName) is used, but the file that defines it is not given")
    }
    return name
  }

  private static func name(
    _ message: Descriptor,
    prefix: String,
    in types: inout [String: String]
  ) {
    let name = prefix + SwiftNames.type(message.name)
    types[message.fullName] = name
    for nested in message.messages {
      Self.name(nested, prefix: name + ".", in: &types)
    }
    for nested in message.enums {
      types[nested.fullName] = "\(name).\(SwiftNames.type(nested.name))"
    }
  }
}
