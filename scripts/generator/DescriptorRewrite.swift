import SwiftProtobuf

/// Converts a schema to the schema for protoc-c.
///
/// protobuf-c stores a string as a `char *` that ends at the first NUL byte, although a string may
/// contain one. Its option `string_as_bytes` stores the length instead. It is set here so that the
/// `.proto` files do not have to import protobuf-c's options. Services and comments are removed,
/// because protobuf-c's code does not use them.
enum DescriptorRewrite {
  /// The option `[(pb_c_field).string_as_bytes = true]`: extension 1019 of `FieldOptions`, a
  /// message with field 1 set.
  private static let stringAsBytes: [UInt8] = [0xDA, 0x3F, 0x02, 0x08, 0x01]

  static func rewrite(
    _ set: Google_Protobuf_FileDescriptorSet
  ) throws -> Google_Protobuf_FileDescriptorSet {
    var set = set
    for index in set.file.indices {
      set.file[index].service = []
      set.file[index].clearSourceCodeInfo()
      set.file[index].messageType = try set.file[index].messageType.map(rewrite)
    }
    return set
  }

  private static func rewrite(
    _ message: Google_Protobuf_DescriptorProto
  ) throws -> Google_Protobuf_DescriptorProto {
    var message = message
    message.nestedType = try message.nestedType.map(rewrite)
    for index in message.field.indices {
      message.field[index].name = CNames.protoName(field: message.field[index].name)
      guard message.field[index].type == .string else { continue }
      let options: [UInt8] = try message.field[index].options.serializedBytes()
      message.field[index].options = try .init(serializedBytes: options + stringAsBytes)
    }
    return message
  }
}
