import CProtobufC

extension ProtobufMessage {
  /// The message as bytes.
  ///
  /// Fields come in the order of their numbers; fields with the default value are left out, and
  /// so is a floating-point `-0.0`, which protobuf-c takes for the default.
  public func serialized() -> [UInt8] {
    var bytes: [UInt8] = []
    unsafe Self.descriptor.pack(
      { target, arena in unsafe fill(target, in: arena) },
      { serializer in bytes = serializer.bytes() }
    )
    return bytes
  }

  /// Runs `body` with what can tell the message's size and write it to a buffer.
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
  /// Has a C struct filled and hands it on.
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

/// A message that is ready to be written; valid only inside `withSerializer`.
@safe public struct Serializer: ~Copyable {
  /// How many bytes the message takes.
  public let byteCount: Int

  private let message: UnsafePointer<ProtobufCMessage>

  init(_ message: UnsafeMutableRawPointer) {
    unsafe self.message = UnsafePointer(message.assumingMemoryBound(to: ProtobufCMessage.self))
    byteCount = unsafe protobuf_c_message_get_packed_size(self.message)
  }

  /// Writes the message to the start of `buffer`, which must have room for `byteCount` bytes.
  public func pack(into buffer: UnsafeMutableRawBufferPointer) {
    precondition(buffer.count >= byteCount, "no room for the message")
    guard byteCount > 0, let start = buffer.baseAddress else { return }
    unsafe protobuf_c_message_pack(message, start.assumingMemoryBound(to: UInt8.self))
  }

  /// The message as bytes.
  public func bytes() -> [UInt8] {
    // The empty array is shared by all threads, and this initializer writes its count.
    guard byteCount > 0 else { return [] }
    return unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      unsafe pack(into: UnsafeMutableRawBufferPointer(buffer))
      count = byteCount
    }
  }
}
