internal import ProtobufC

/// An index of descriptor sets by file name and by declared name.
///
/// It reads the few fields that it needs by their numbers in `descriptor.proto`:
/// <https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto>
struct DescriptorIndex: Sendable {
  private struct File {
    /// A serialized `google.protobuf.FileDescriptorProto`.
    let descriptor: [UInt8]
    let imports: [String]
  }

  /// The number of the field `name`, which is the same in all descriptors.
  private static let name: UInt64 = 1

  private var files: [String: File] = [:]
  /// The name of the file that declares a full name.
  private var declarations: [String: String] = [:]
  /// The name of the file that declares an extension, by the extended message and the number.
  private var extensions: [String: [Int32: String]] = [:]

  /// Indexes descriptor sets.
  ///
  /// If several files have the same name, the first one is used.
  ///
  /// - Parameter sets: Serialized `google.protobuf.FileDescriptorSet`s.
  /// - Throws: ``ProtobufError/malformed(message:)``.
  init(_ sets: [[UInt8]]) throws(ProtobufError) {
    for set in sets {
      let set = try RawMessage(serialized: set, name: "google.protobuf.FileDescriptorSet")
      for descriptor in set.bytes(1) {
        let file = try RawMessage(
          serialized: descriptor, name: "google.protobuf.FileDescriptorProto")
        let name = file.string(Self.name)
        guard files[name] == nil else { continue }
        files[name] = File(descriptor: descriptor, imports: file.strings(3))
        try add(file, named: name)
      }
    }
  }

  /// Returns the file of a name, followed by the files that it imports, directly or indirectly.
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

  /// Returns the name of the file that declares a message, field, oneof, enum, value, service or
  /// method.
  func fileName(declaring symbol: String) -> String? { declarations[symbol] }

  /// Returns the name of the file that declares an extension of a message.
  func fileName(declaring number: Int32, extending message: String) -> String? {
    extensions[message]?[number]
  }

  /// Returns the numbers of a message's extensions in ascending order, or `nil` for a message that
  /// is not in the index.
  func extensionNumbers(of message: String) -> [Int32]? {
    if let found = extensions[message] { return found.keys.sorted() }
    return declarations[message] == nil ? nil : []
  }

  private mutating func add(_ file: RawMessage, named fileName: String) throws(ProtobufError) {
    let package = file.string(2)
    let scope = package.isEmpty ? "" : package + "."
    for message in try file.messages(4) { try add(message, in: scope, of: fileName) }
    for enumeration in try file.messages(5) { try add(enum: enumeration, in: scope, of: fileName) }
    for service in try file.messages(6) {
      declare(service, in: scope, of: fileName)
      let inside = scope + service.string(Self.name) + "."
      for method in try service.messages(2) { declare(method, in: inside, of: fileName) }
    }
    for field in try file.messages(7) { add(extension: field, in: scope, of: fileName) }
  }

  private mutating func add(
    _ message: RawMessage, in scope: String, of fileName: String
  ) throws(ProtobufError) {
    declare(message, in: scope, of: fileName)
    let inside = scope + message.string(Self.name) + "."
    for field in try message.messages(2) { declare(field, in: inside, of: fileName) }
    for nested in try message.messages(3) { try add(nested, in: inside, of: fileName) }
    for enumeration in try message.messages(4) {
      try add(enum: enumeration, in: inside, of: fileName)
    }
    for field in try message.messages(6) { add(extension: field, in: inside, of: fileName) }
    for oneof in try message.messages(8) { declare(oneof, in: inside, of: fileName) }
  }

  private mutating func add(
    enum enumeration: RawMessage, in scope: String, of fileName: String
  ) throws(ProtobufError) {
    declare(enumeration, in: scope, of: fileName)
    // The scope of a value is that of its enum.
    for value in try enumeration.messages(2) { declare(value, in: scope, of: fileName) }
  }

  private mutating func add(extension field: RawMessage, in scope: String, of fileName: String) {
    declare(field, in: scope, of: fileName)
    let extendee = String(field.string(2).drop { $0 == "." })
    extensions[extendee, default: [:]][field.int32(3)] = fileName
  }

  private mutating func declare(_ descriptor: RawMessage, in scope: String, of fileName: String) {
    declarations[scope + descriptor.string(Self.name)] = fileName
  }
}
