import CProtobufC

/// A message of a `.proto` file as a Swift value.
///
/// `scripts/generate` generates the conforming types. The requirements that use raw pointers are
/// for generated code only.
public protocol ProtobufMessage: Sendable, Hashable {
  /// Creates a message in which all fields are absent.
  init()

  /// The name of the message type with its package, such as `mockups.v1.ReserveCreditsRequest`.
  static var fullName: String { get }

  /// The descriptor of the message type, for generated code.
  static var descriptor: MessageDescriptor { get }

  /// Copies the fields of a C struct into a message without fields, for generated code.
  ///
  /// - Parameters:
  ///   - source: An unpacked C struct of this type, valid during the call.
  ///   - arena: The arena that holds the struct; it also counts the memory that is used.
  /// - Throws: ``ProtobufError``.
  mutating func load(_ source: UnsafeRawPointer, in arena: Arena) throws(ProtobufError)

  /// Copies the fields of the message into a C struct, for generated code.
  ///
  /// - Parameters:
  ///   - target: An initialized C struct of this type.
  ///   - arena: The arena for everything that the struct points to.
  func fill(_ target: UnsafeMutableRawPointer, in arena: Arena)
}

extension ProtobufMessage {
  /// Decodes a message.
  ///
  /// Unknown fields are dropped. If a singular field occurs more than once, the last value is kept;
  /// submessages are merged, except in a `oneof`, where only the last is kept. A message with a
  /// wrong wire type is malformed; but protobuf-c accepts any wire type for a `bool`.
  ///
  /// See <https://protobuf.dev/programming-guides/encoding/>.
  ///
  /// - Parameters:
  ///   - bytes: The serialized message.
  ///   - limits: The limits on memory and nesting.
  /// - Throws: ``ProtobufError``.
  public init(
    serialized bytes: [UInt8],
    limits: DecodingLimits = .default
  ) throws(ProtobufError) {
    self.init()
    try unsafe Self.descriptor.unpack(bytes, limits) { source, arena throws(ProtobufError) in
      try unsafe self.load(source, in: arena)
    }
  }

  /// Decodes a message from memory.
  ///
  /// The memory is not read after the initializer has returned.
  ///
  /// - Parameters:
  ///   - bytes: The serialized message.
  ///   - limits: The limits on memory and nesting.
  /// - Throws: ``ProtobufError``.
  public init(
    serialized bytes: UnsafeRawBufferPointer,
    limits: DecodingLimits = .default
  ) throws(ProtobufError) {
    self.init()
    try unsafe Self.descriptor.unpack(bytes, limits) { source, arena throws(ProtobufError) in
      try unsafe self.load(source, in: arena)
    }
  }
}

extension ProtobufMessage {
  /// Serializes the message.
  ///
  /// Fields are ordered by number. Fields with the default value are omitted; protobuf-c also omits
  /// a floating-point `-0.0`, which it considers a default value.
  public func serialized() -> [UInt8] {
    var bytes: [UInt8] = []
    unsafe Self.descriptor.pack(
      { target, arena in unsafe fill(target, in: arena) },
      { serializer in bytes = serializer.bytes() }
    )
    return bytes
  }

  /// Calls `body` with a serializer, which returns the message's size and writes it to a buffer.
  @inlinable
  public func withSerializer<R>(_ body: (borrowing Serializer) throws -> R) rethrows -> R {
    var result: R?
    try unsafe Self.descriptor.pack(
      { target, arena in unsafe fill(target, in: arena) },
      { serializer in result = try body(serializer) }
    )
    guard let result else { preconditionFailure("the body did not run") }
    return result
  }
}

extension MessageDescriptor {
  /// Fills a C struct and passes a serializer for it to `body`.
  @usableFromInline
  func pack(
    _ fill: (UnsafeMutableRawPointer, Arena) -> Void,
    _ body: (borrowing Serializer) throws -> Void
  ) rethrows {
    try Arena.withArena(limit: .max, for: self) { arena in
      let target = unsafe arena.structure(self)
      unsafe fill(target, arena)
      try body(unsafe Serializer(target))
    }
  }
}

/// A message that is ready to be written, valid only within `withSerializer`.
@safe public struct Serializer: ~Copyable {
  /// The size of the serialized message, in bytes.
  public let byteCount: Int

  private let message: UnsafePointer<ProtobufCMessage>

  init(_ message: UnsafeMutableRawPointer) {
    unsafe self.message = UnsafePointer(message.assumingMemoryBound(to: ProtobufCMessage.self))
    byteCount = unsafe protobuf_c_message_get_packed_size(self.message)
  }

  /// Writes the message to the start of `buffer`, which must have at least `byteCount` bytes.
  public func pack(into buffer: UnsafeMutableRawBufferPointer) {
    precondition(buffer.count >= byteCount, "the buffer is too small for the message")
    guard byteCount > 0, let start = buffer.baseAddress else { return }
    unsafe protobuf_c_message_pack(message, start.assumingMemoryBound(to: UInt8.self))
  }

  /// Returns the serialized message.
  public func bytes() -> [UInt8] {
    // All threads share the empty array, whose count the initializer below would write.
    guard byteCount > 0 else { return [] }
    return unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      unsafe pack(into: UnsafeMutableRawBufferPointer(buffer))
      count = byteCount
    }
  }
}
