public import CProtobufC

/// protobuf-c's description of a message type, and what the generator found out about it.
@safe public struct MessageDescriptor: @unchecked Sendable {
  // Sendable: protoc-c generates descriptors as constants, which nothing writes to or frees.
  let pointer: UnsafePointer<ProtobufCMessageDescriptor>
  let needsScan: Bool

  /// For generated code.
  ///
  /// - Parameters:
  ///   - pointer: a constant made by protoc-c.
  ///   - needsScan: whether the message is recursive or holds singular submessages, see `WireScan`.
  public init(_ pointer: UnsafePointer<ProtobufCMessageDescriptor>, needsScan: Bool) {
    unsafe self.pointer = pointer
    self.needsScan = needsScan
  }

  /// The name with its package.
  var fullName: String { unsafe String(cString: pointer.pointee.name) }
}
