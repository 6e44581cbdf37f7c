extension ProtobufMessage {
  /// Decodes a message.
  ///
  /// Unknown fields are dropped. If a singular field occurs more than once, the last value counts;
  /// submessages are merged, except in a `oneof`, where only the last is kept. A field with a wrong
  /// wire type makes the message malformed, except that protobuf-c accepts any wire type for a
  /// `bool`.
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

  /// Decodes a message from memory that must be valid only during the call.
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
