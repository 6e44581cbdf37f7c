internal import SwiftProtobuf

/// The services and types of a server, known at run time only.
///
/// Descriptors come from a peer: what they contradict or lack is an error, never a trap. Extensions
/// of proto2 messages are not known; in binary they are passed over as unknown fields.
public struct Schema: Sendable {
  /// The services, in the order of their names.
  public let services: [Service]

  let types: TypeTable
  let symbols: [String: Symbol]
  let files: [Google_Protobuf_FileDescriptorProto]

  /// Creates a schema of files.
  ///
  /// - Parameter files: A serialized `google.protobuf.FileDescriptorProto` each, in any order. Of
  ///   two with one name the first one counts.
  /// - Throws: `DynamicMessageError` if a file is malformed or refers to a missing type.
  public init(files: [[UInt8]]) throws(DynamicMessageError) {
    var decoded: [Google_Protobuf_FileDescriptorProto] = []
    for file in files { decoded.append(try Self.decode(file)) }
    try self.init(decoded)
  }

  /// Creates a schema of a serialized `google.protobuf.FileDescriptorSet`.
  ///
  /// - Parameter fileDescriptorSet: The output of `protoc --include_imports --descriptor_set_out`.
  public init(fileDescriptorSet: [UInt8]) throws(DynamicMessageError) {
    let set: Google_Protobuf_FileDescriptorSet = try Self.decode(fileDescriptorSet)
    try self.init(set.file)
  }

  private init(_ files: [Google_Protobuf_FileDescriptorProto]) throws(DynamicMessageError) {
    let builder = try SchemaBuilder(files)
    services = builder.finishedServices.sorted { $0.name < $1.name }
    types = builder.types
    symbols = builder.symbols
    self.files = builder.files
  }

  private static func decode<M: Message>(_ bytes: [UInt8]) throws(DynamicMessageError) -> M {
    do {
      return try M(serializedBytes: bytes, partial: true)
    } catch {
      throw DynamicMessageError(
        code: .schema, path: "", message: "the descriptors cannot be read: \(error)")
    }
  }

  /// Finds a method by `SERVICE/METHOD` or `SERVICE.METHOD`; the package can be omitted if it is
  /// unambiguous.
  ///
  /// - Throws: `DynamicMessageError` with the nearest name.
  public func method(_ path: String) throws(DynamicMessageError) -> RPCMethod {
    let name = path.hasPrefix("/") ? String(path.dropFirst()) : path
    let methods = Dictionary(
      services.flatMap(\.methods).map { ($0.dottedName, $0) },
      uniquingKeysWith: { first, _ in first })
    let found = try lookUp(
      name.replacing("/", with: "."), among: Array(methods.keys), what: "method", shown: name
    ) { methods[$0]?.fullName ?? $0 }
    guard let method = methods[found] else {
      throw DynamicMessageError(code: .notFound, path: "", message: "there is no method \(name)")
    }
    return method
  }

  /// Finds a message type by its full name, or by an unambiguous end of it.
  public func message(_ name: String) throws(DynamicMessageError) -> MessageType {
    let found = try lookUp(
      name, among: types.messages.values.filter { !$0.isMapEntry }.map(\.name),
      what: "message type", shown: name)
    return MessageType(fullName: found, types: types)
  }

  /// Finds the full name that is, or ends in, a name that a person wrote.
  ///
  /// - Parameter spelling: Returns a full name in the spelling that a person would use.
  func lookUp(
    _ name: String, among names: [String], what: String, shown: String,
    spelling: (String) -> String = { $0 }
  ) throws(DynamicMessageError) -> String {
    let name = String(name.drop { $0 == "." })
    if names.contains(name) { return name }
    let ends = names.filter { $0.hasSuffix("." + name) }.sorted()
    if ends.count == 1, let only = ends.first { return only }
    var message = "there is no \(what) \(shown)"
    if ends.count > 1 {
      message = "\(shown) may be any of \(ends.map(spelling).joined(separator: ", "))"
    } else {
      // As many parts of each name as were written.
      let parts = name.split(separator: ".").count
      let near = Dictionary(
        names.map { ($0.split(separator: ".").suffix(parts).joined(separator: "."), $0) },
        uniquingKeysWith: { min($0, $1) })
      if let nearest = Spelling.nearest(to: name, among: near.keys).flatMap({ near[$0] }) {
        message += "; did you mean \(spelling(nearest))?"
      }
    }
    throw DynamicMessageError(code: .notFound, path: "", message: message)
  }
}

/// A service of a schema.
public struct Service: Sendable {
  /// The full name.
  public let name: String
  /// The methods, in the order of the proto.
  public internal(set) var methods: [RPCMethod]
}

/// A method of a service.
public struct RPCMethod: Sendable {
  /// The service's full name.
  public let service: String
  /// The name within the service.
  public let name: String
  /// The type of the requests.
  public internal(set) var input: MessageType
  /// The type of the responses.
  public internal(set) var output: MessageType
  /// True if the method takes a stream of requests.
  public let isClientStreaming: Bool
  /// True if the method returns a stream of responses.
  public let isServerStreaming: Bool
  /// True if the idempotency_level of the method declares that a retry has no second effect.
  public let isIdempotent: Bool

  /// The name as `SERVICE/METHOD`.
  public var fullName: String { "\(service)/\(name)" }

  var dottedName: String { "\(service).\(name)" }
}

/// A message type that is known at run time only.
public struct MessageType: Sendable {
  /// The name with its package.
  public let fullName: String
  let types: TypeTable
}
