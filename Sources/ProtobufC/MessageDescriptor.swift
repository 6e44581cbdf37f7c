public import CProtobufC

/// protobuf-c's descriptor of a message type, with facts that the generator has derived.
@safe public struct MessageDescriptor: @unchecked Sendable {
  // Sendable because protoc-c generates descriptors as constants, which are never changed or freed.
  let pointer: UnsafePointer<ProtobufCMessageDescriptor>
  let needsScan: Bool

  /// Creates a descriptor, in generated code.
  ///
  /// - Parameters:
  ///   - pointer: A constant that protoc-c generated.
  ///   - needsScan: True if the message is recursive or has singular submessages; see `WireScan`.
  public init(_ pointer: UnsafePointer<ProtobufCMessageDescriptor>, needsScan: Bool) {
    unsafe self.pointer = pointer
    self.needsScan = needsScan
  }

  /// The name of the message type with its package.
  var fullName: String { unsafe String(cString: pointer.pointee.name) }
}

extension MessageDescriptor {
  /// Reads a C struct and the arena that holds it; both are valid during the call.
  typealias Loader = (UnsafeRawPointer, Arena) throws(ProtobufError) -> Void

  func unpack(
    _ bytes: [UInt8],
    _ limits: DecodingLimits,
    _ load: Loader
  ) throws(ProtobufError) {
    try unsafe bytes.withUnsafeBufferPointer { buffer throws(ProtobufError) in
      try unsafe unpack(UnsafeRawBufferPointer(buffer), limits, load)
    }
  }

  /// Unpacks a message, after scanning it if its type requires that; see ``WireScan``.
  func unpack(
    _ bytes: UnsafeRawBufferPointer,
    _ limits: DecodingLimits,
    _ load: Loader
  ) throws(ProtobufError) {
    // protobuf-c uses 32-bit sizes.
    guard bytes.count < Int(Int32.max) else {
      throw .tooLarge(message: fullName, limit: Int(Int32.max))
    }
    guard needsScan else { return try unsafe unpackScanned(bytes, limits, load) }
    let scan = WireScan(message: self, depthLimit: limits.depth)
    guard try unsafe scan.findsDuplicate(in: bytes, of: pointer) else {
      return try unsafe unpackScanned(bytes, limits, load)
    }
    let merged = try unsafe scan.merged(bytes, of: pointer)
    try unsafe merged.withUnsafeBufferPointer { buffer throws(ProtobufError) in
      try unsafe unpackScanned(UnsafeRawBufferPointer(buffer), limits, load)
    }
  }

  private func unpackScanned(
    _ bytes: UnsafeRawBufferPointer,
    _ limits: DecodingLimits,
    _ load: Loader
  ) throws(ProtobufError) {
    try Arena.withArena(limit: limits.memory, for: self) { arena throws(ProtobufError) in
      var allocator = unsafe arena.allocator
      let unpacked = unsafe protobuf_c_message_unpack(
        pointer,
        &allocator,
        bytes.count,
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
      )
      guard let unpacked = unsafe unpacked else {
        guard unsafe !arena.state.pointee.isExhausted else {
          throw .tooLarge(message: fullName, limit: limits.memory)
        }
        throw .malformed(message: fullName)
      }
      try unsafe load(unpacked, arena)
    }
  }
}
