import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The files to generate, checked, and the Swift names of everything they define.
struct Schema {
  let options: SwiftOptions
  private let types: [String: String]
  private let graph: MessageGraph

  /// - Throws: `GeneratorError` for anything that the bridge cannot carry.
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

  /// The nested Swift enum of a oneof with several members.
  func name(_ oneof: OneofDescriptor) -> String {
    let name = SwiftNames.upperCamel(oneof.name)
    let message: Descriptor = oneof.containingType
    let nested = message.messages.map(\.name) + message.enums.map(\.name)
    // A nested type would hide one of the same name outside.
    let isTaken = nested.contains(name) || types.values.contains(name)
    return isTaken ? name + "Choice" : name
  }

  /// Whether a value of the field may contain another value of the message that has the field.
  func isRecursive(_ field: FieldDescriptor) -> Bool {
    guard field.type == .message else { return false }
    return graph.reaches(from: field.messageType.fullName, to: field.containingType.fullName)
  }

  /// Whether input for the message must be looked through before protobuf-c may unpack it.
  func needsScan(_ message: Descriptor) -> Bool { graph.needsScan(message.fullName) }

  private func name(_ fullName: String) throws -> String {
    guard let name = types[fullName] else {
      throw GeneratorError("\(fullName) is used, but its file is not among those to generate")
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
