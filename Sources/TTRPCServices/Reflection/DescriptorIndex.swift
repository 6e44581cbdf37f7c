internal import ProtobufC

/// The files of descriptor sets, found by their names and by what they declare.
struct DescriptorIndex: Sendable {
  private struct File {
    /// A serialized `google.protobuf.FileDescriptorProto`.
    let descriptor: [UInt8]
    let imports: [String]
  }

  private var files: [String: File] = [:]
  /// The name of the file that declares a full name.
  private var declarations: [String: String] = [:]
  /// The name of the file that declares an extension, by the message it extends and its number there.
  private var extensions: [String: [Int32: String]] = [:]

  /// - Parameter sets: Serialized `google.protobuf.FileDescriptorSet`s. Of files with one name, the
  ///   first counts.
  init(_ sets: [[UInt8]]) throws(ProtobufError) {
    for set in sets {
      for descriptor in try OutlineFileSet(serialized: set).file {
        let file = try OutlineFile(serialized: descriptor)
        guard files[file.name] == nil else { continue }
        files[file.name] = File(descriptor: descriptor, imports: file.dependency)
        add(file)
      }
    }
  }

  /// The file of this name, and after it all that it imports, itself or by what it imports.
  func files(from name: String) -> [[UInt8]]? {
    guard files[name] != nil else { return nil }
    var names = [name]
    var result: [[UInt8]] = []
    var next = 0
    while next < names.count {
      // A set may have been made without its imports.
      if let file = files[names[next]] {
        result.append(file.descriptor)
        names += file.imports.filter { !names.contains($0) }
      }
      next += 1
    }
    return result
  }

  /// The name of the file that declares a message, field, oneof, enum, value, service or method.
  func fileName(declaring symbol: String) -> String? { declarations[symbol] }

  /// The name of the file that declares an extension of a message.
  func fileName(declaring number: Int32, extending message: String) -> String? {
    extensions[message]?[number]
  }

  /// The numbers of a message's extensions, in order; `nil` where nothing is known of the message.
  func extensionNumbers(of message: String) -> [Int32]? {
    if let found = extensions[message] { return found.keys.sorted() }
    return declarations[message] == nil ? nil : []
  }

  private mutating func add(_ file: OutlineFile) {
    let scope = file.package.isEmpty ? "" : file.package + "."
    func declare(_ name: String) { declarations[name] = file.name }

    func declare(_ enumeration: OutlineEnum, in scope: String) {
      declare(scope + enumeration.name)
      // A value's name is beside its enum's, not inside.
      for value in enumeration.value { declare(scope + value.name) }
    }

    func declare(_ field: OutlineField, extensionIn scope: String) {
      declare(scope + field.name)
      extensions[String(field.extendee.drop { $0 == "." }), default: [:]][field.number] = file.name
    }

    func declare(_ message: OutlineMessage, in scope: String) {
      declare(scope + message.name)
      let inside = scope + message.name + "."
      for field in message.field { declare(inside + field.name) }
      for oneof in message.oneofDecl { declare(inside + oneof.name) }
      for nested in message.nestedType { declare(nested, in: inside) }
      for enumeration in message.enumType { declare(enumeration, in: inside) }
      for field in message.extension { declare(field, extensionIn: inside) }
    }

    for message in file.messageType { declare(message, in: scope) }
    for enumeration in file.enumType { declare(enumeration, in: scope) }
    for field in file.extension { declare(field, extensionIn: scope) }
    for service in file.service {
      declare(scope + service.name)
      for method in service.method { declare(scope + service.name + "." + method.name) }
    }
  }
}
