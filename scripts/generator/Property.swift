import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// A stored property of a generated message: a plain field, an optional field, or a oneof.
struct Property {
  /// The representation in the C struct.
  enum Shape {
    case plain(Field)
    /// A oneof with one member, which represents a field that may be absent.
    case optional(Field, OneofDescriptor)
    case oneof(OneofDescriptor, type: String, [Field])
  }

  let shape: Shape
  /// The name without backticks.
  let name: String
  let type: String
  let defaultValue: String
  let comment: [String]

  /// Returns the properties of a message, in the order of the `.proto` file.
  static func all(of message: Descriptor, schema: Schema) throws -> [Property] {
    var seen: Set<Int> = []
    return try message.fields.compactMap { descriptor in
      let field = try Field(descriptor, schema: schema)
      guard let oneof = descriptor.realContainingOneof else { return Property(field) }
      guard seen.insert(oneof.index).inserted else { return nil }
      guard oneof.fields.count > 1 else { return Property(field, optionalBy: oneof) }
      return try Property(oneof, schema: schema)
    }
  }

  private init(_ field: Field) {
    shape = .plain(field)
    name = field.name
    if field.descriptor.isRepeated {
      type = "[\(field.elementType)]"
    } else {
      type = field.descriptor.type == .message ? "\(field.elementType)?" : field.elementType
    }
    defaultValue = field.defaultValue
    comment = field.descriptor.commentLines
  }

  private init(_ field: Field, optionalBy oneof: OneofDescriptor) {
    shape = .optional(field, oneof)
    name = field.name
    type = "\(field.elementType)?"
    defaultValue = "nil"
    comment = field.descriptor.commentLines
  }

  private init(_ oneof: OneofDescriptor, schema: Schema) throws {
    let fields = try oneof.fields.map { try Field($0, schema: schema) }
    let enumeration = schema.name(oneof)
    shape = .oneof(oneof, type: enumeration, fields)
    name = SwiftNames.lowerCamel(oneof.name)
    type = "\(enumeration)?"
    defaultValue = "nil"
    comment = oneof.commentLines
  }

  var escapedName: String { SwiftNames.escaped(name) }

  /// True if the value is stored in an array, because a struct cannot contain itself.
  var isBoxed: Bool {
    switch shape {
    case .plain(let field), .optional(let field, _):
      return field.isRecursive && !field.descriptor.isRepeated
    case .oneof: return false
    }
  }
}
