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
