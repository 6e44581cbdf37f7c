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
