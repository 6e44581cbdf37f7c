import SwiftProtobufPluginLibrary

/// The names that protoc-c gives to what it generates.
enum CNames {
  /// Words that a C struct cannot have as a member: C and C++ keywords, which protoc-c would
  /// rename by rules of its own, and `base`, which every message struct already has.
  private static let taken: Set<String> = [
    "and", "and_eq", "asm", "auto", "base", "bitand", "bitor", "bool", "break", "case", "catch",
    "char", "class", "compl", "const", "const_cast", "continue", "default", "delete", "do",
    "double", "dynamic_cast", "else", "enum", "explicit", "extern", "false", "float", "for",
    "friend", "goto", "if", "inline", "int", "long", "mutable", "namespace", "new", "not",
    "not_eq", "operator", "or", "or_eq", "private", "protected", "public", "register", "return",
    "short", "signed", "sizeof", "static", "static_cast", "struct", "switch", "template", "this",
    "throw", "true", "try", "typedef", "typeid", "typename", "union", "unsigned", "using",
    "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
  ]

  /// A field's name in the schema for protoc-c.
  static func protoName(field name: String) -> String {
    taken.contains(name.lowercased()) ? name + "_" : name
  }

  /// A field's member in the C struct, ready to stand after a dot in Swift.
  static func member(_ field: FieldDescriptor) -> String {
    let name = protoName(field: field.name).lowercased()
    return name == "self" || name == "init" ? "`\(name)`" : name
  }

  /// The member that counts a repeated field's elements.
  static func count(_ field: FieldDescriptor) -> String {
    "n_" + protoName(field: field.name).lowercased()
  }

  /// The member that tells which field of a oneof is set.
  static func discriminator(_ oneof: OneofDescriptor) -> String {
    oneof.name.lowercased() + "_case"
  }

  /// The C struct of a message: `mockups.v1.GetUsage` is `Mockups__V1__GetUsage`.
  static func structure(_ message: Descriptor) -> String {
    message.fullName.split(separator: ".").map { part in
      part.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }.joined(separator: "__")
  }

  /// The C variable with a message's descriptor.
  static func descriptor(_ message: Descriptor) -> String { lower(message) + "__descriptor" }

  /// The C function that returns the address of a message's descriptor.
  static func descriptorAddress(_ message: Descriptor) -> String {
    descriptor(message) + "_address"
  }

  private static func lower(_ message: Descriptor) -> String {
    message.fullName.split(separator: ".").map { part in
      var result = ""
      var afterUpper = true
      for character in part {
        if character.isUppercase, !afterUpper { result += "_" }
        result += character.lowercased()
        afterUpper = character.isUppercase
      }
      return result
    }.joined(separator: "__")
  }
}
