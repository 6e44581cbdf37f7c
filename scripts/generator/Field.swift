import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// A field of a message: its Swift type and the statements that convert it from and to C.
struct Field {
  let descriptor: FieldDescriptor
  /// The property's name without backticks.
  let name: String
  /// The type of one element.
  let elementType: String
  let isRecursive: Bool

  init(_ descriptor: FieldDescriptor, schema: Schema) throws {
    self.descriptor = descriptor
    name = SwiftNames.lowerCamel(descriptor.name)
    isRecursive = schema.isRecursive(descriptor)
    switch descriptor.type {
    case .message: elementType = try schema.name(descriptor.messageType)
    case .enum: elementType = try schema.name(descriptor.enumType)
    default: elementType = try Self.scalar(descriptor)
    }
  }

  var property: String { SwiftNames.escaped(name) }

  /// The expression that reads the field, or all elements of a repeated one, from the C struct `c`.
  var reading: String {
    let member = "c.pointee.\(CNames.member(descriptor))"
    if descriptor.isRepeated {
      let count = "c.pointee.\(CNames.count(descriptor))"
      switch descriptor.type {
      case .string: return "try arena.strings(\(member), count: \(count), field: \(quotedName))"
      case .bytes: return "arena.byteArrays(\(member), count: \(count))"
      case .bool: return "arena.bools(\(member), count: \(count))"
      case .enum: return "arena.enums(\(member), count: \(count))"
      case .message: return "try arena.messages(\(member), count: \(count))"
      default: return "arena.scalars(\(member), count: \(count))"
      }
    }
    switch descriptor.type {
    case .string: return "try arena.string(\(member), field: \(quotedName))"
    case .bytes: return "arena.bytes(\(member))"
    case .bool: return "\(member) != 0"
    case .enum: return "\(elementType)(rawValue: Int32(truncatingIfNeeded: \(member).rawValue))"
    case .message: return "try arena.message(\(member))"
    default: return member
    }
  }

  /// Returns the statements that write `value` to the C struct `c`.
  func writing(_ value: String) -> [String] {
    let member = "unsafe c.pointee.\(CNames.member(descriptor))"
    if descriptor.isRepeated {
      return [
        "unsafe c.pointee.\(CNames.count(descriptor)) = \(value).count",
        "\(member) = arena.place(\(value))",
      ]
    }
    switch descriptor.type {
    case .bool: return ["\(member) = \(value) ? 1 : 0"]
    case .enum:
      return ["\(member) = .init(rawValue: .init(truncatingIfNeeded: \(value).rawValue))"]
    case .string, .bytes, .message: return ["\(member) = arena.place(\(value))"]
    default: return ["\(member) = \(value)"]
    }
  }

  /// The value of an absent field.
  var defaultValue: String {
    if descriptor.isRepeated { return "[]" }
    switch descriptor.type {
    case .string: return "\"\""
    case .bytes: return "[]"
    case .bool: return "false"
    case .enum: return "\(elementType)()"
    case .message: return "nil"
    default: return "0"
    }
  }

  private var quotedName: String { "\"\(descriptor.fullName)\"" }

  private static func scalar(_ field: FieldDescriptor) throws -> String {
    switch field.type {
    case .int32, .sint32, .sfixed32: return "Int32"
    case .int64, .sint64, .sfixed64: return "Int64"
    case .uint32, .fixed32: return "UInt32"
    case .uint64, .fixed64: return "UInt64"
    case .float: return "Float"
    case .double: return "Double"
    case .bool: return "Bool"
    case .string: return "String"
    case .bytes: return "[UInt8]"
    case .message, .enum, .group:
      throw GeneratorError.unsupported("this type is", at: field.fullName)
    }
  }
}
