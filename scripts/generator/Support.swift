import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The checks for features of the Protobuf language that the generator does not support.
enum Support {
  static func check(_ file: FileDescriptor) throws {
    guard file.edition == .proto3 else {
      throw GeneratorError.unsupported("syntax other than proto3 is", at: file.name)
    }
    guard file.extensions.isEmpty else {
      throw GeneratorError.unsupported("extensions are", at: file.name)
    }
    try file.enums.forEach(check)
    try file.messages.forEach(check)
  }

  private static func check(_ message: Descriptor) throws {
    guard message.extensions.isEmpty, message.messageExtensionRanges.isEmpty else {
      throw GeneratorError.unsupported("extensions are", at: message.fullName)
    }
    // Checked before the nested messages, so that an error names the map and not its entry type.
    try message.fields.forEach(check)
    try message.messages.forEach(check)
    try message.enums.forEach(check)
  }

  private static func check(_ field: FieldDescriptor) throws {
    if field.isMap { throw GeneratorError.unsupported("map fields are", at: field.fullName) }
    if field.type == .group { throw GeneratorError.unsupported("groups are", at: field.fullName) }
    if field.isRequired {
      throw GeneratorError.unsupported("required fields are", at: field.fullName)
    }
    if field.containingOneof != nil, field.realContainingOneof == nil {
      throw GeneratorError.unsupported(
        "'optional' (use a oneof with one member, which is the same on the wire) is",
        at: field.fullName
      )
    }
  }

  private static func check(_ enumeration: EnumDescriptor) throws {
    if enumeration.options.allowAlias {
      throw GeneratorError.unsupported("allow_alias is", at: enumeration.fullName)
    }
  }
}
