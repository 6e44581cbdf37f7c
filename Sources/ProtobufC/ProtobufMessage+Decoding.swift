extension ProtobufMessage {
  /// Decodes a message.
  ///
  /// Fields that the schema does not know are dropped. Where a singular field comes more than once
  /// the last value counts, and submessages are merged; of a submessage in a `oneof`, only the last
  /// is kept. A field with the wrong wire type makes the message malformed, but protobuf-c takes a
  /// `bool` from any.
  ///
  /// See <https://protobuf.dev/programming-guides/encoding/>.
  ///
  /// - Throws: `ProtobufError`.
  public init(
    serialized bytes: [UInt8],
    limits: DecodingLimits = .default
  ) throws(ProtobufError) {
    self.init()
    try unsafe Self.descriptor.unpack(bytes, limits) { source, arena throws(ProtobufError) in
      try unsafe self.load(source, in: arena)
    }
  }

  /// Decodes a message from memory that need only be valid during the call.
  ///
  /// - Throws: `ProtobufError`.
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
