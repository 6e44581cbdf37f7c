import SwiftProtobufPluginLibrary

/// The names of the declarations that protoc-c generates.
enum CNames {
  /// The names that a member of a C struct cannot have: C and C++ keywords, which protoc-c would
  /// rename by its own rules, and `base`, which every message struct already has.
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

  /// Returns the name of a field in the schema for protoc-c.
  static func protoName(field name: String) -> String {
    taken.contains(name.lowercased()) ? name + "_" : name
  }

  /// Returns the member of the C struct for a field, as written after a dot in Swift.
  static func member(_ field: FieldDescriptor) -> String {
    let name = protoName(field: field.name).lowercased()
    return name == "self" || name == "init" ? "`\(name)`" : name
  }

  /// Returns the member with the number of elements of a repeated field.
  static func count(_ field: FieldDescriptor) -> String {
    "n_" + protoName(field: field.name).lowercased()
  }

  /// Returns the member that identifies the field of a oneof that is set.
  static func discriminator(_ oneof: OneofDescriptor) -> String {
    oneof.name.lowercased() + "_case"
  }

  /// Returns the C struct of a message: `Mockups__V1__GetUsage` for `mockups.v1.GetUsage`.
  static func structure(_ message: Descriptor) -> String {
    message.fullName.split(separator: ".").map { part in
      part.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }.joined(separator: "__")
  }

  /// Returns the C variable with the descriptor of a message.
  static func descriptor(_ message: Descriptor) -> String { lower(message) + "__descriptor" }

  /// Returns the C function that returns the address of a message's descriptor.
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
