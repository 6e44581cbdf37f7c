public import CProtobufC

/// Functions for generated code that copy values into C structs, which are then packed.
///
/// An arena for packing has no limit, because it holds the program's own messages.
extension Arena {
  /// Copies the UTF-8 bytes of a string into the arena.
  public func place(_ value: String) -> ProtobufCBinaryData {
    var value = value
    return value.withUTF8 { unsafe place(UnsafeRawBufferPointer($0)) }
  }

  /// Copies bytes into the arena.
  public func place(_ value: [UInt8]) -> ProtobufCBinaryData {
    unsafe value.withUnsafeBytes { unsafe place($0) }
  }

  /// Copies the elements of a repeated string field into the arena; returns nil if there are none.
  public func place(_ values: [String]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
    unsafe place(values) { unsafe place($0) }
  }

  /// Copies the elements of a repeated bytes field into the arena; returns nil if there are none.
  public func place(_ values: [[UInt8]]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
    unsafe place(values) { unsafe place($0) }
  }

  /// Copies the elements of a repeated numeric field into the arena; returns nil if there are none.
  @inlinable
  public func place<T: BitwiseCopyable>(_ values: [T]) -> UnsafeMutablePointer<T>? {
    unsafe place(values) { $0 }
  }

  /// Copies the elements of a repeated Boolean field into the arena; returns nil if there are none.
  public func place(_ values: [Bool]) -> UnsafeMutablePointer<protobuf_c_boolean>? {
    unsafe place(values) { $0 ? 1 : 0 }
  }

  /// Copies the elements of a repeated enum field into the arena, as the enum's C type; returns nil
  /// if there are none.
  @inlinable
  public func place<T: ProtobufEnum, CEnum: BitwiseCopyable>(
    _ values: [T]
  ) -> UnsafeMutablePointer<CEnum>? {
    precondition(MemoryLayout<CEnum>.size == MemoryLayout<Int32>.size)
    let numbers = unsafe place(values) { $0.rawValue }
    return unsafe UnsafeMutableRawPointer(numbers)?.assumingMemoryBound(to: CEnum.self)
  }

  /// Copies a submessage into the arena as a C struct; returns nil if it is absent.
  @inlinable
  public func place<M: ProtobufMessage, CStruct>(
    _ value: M?
  ) -> UnsafeMutablePointer<CStruct>? {
    guard let value else { return nil }
    return unsafe root(value).assumingMemoryBound(to: CStruct.self)
  }

  /// Copies the elements of a repeated message field into the arena; returns nil if there are none.
  @inlinable
  public func place<M: ProtobufMessage, CStruct>(
    _ values: [M]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<CStruct>?>? {
    unsafe place(values) { unsafe root($0).assumingMemoryBound(to: CStruct.self) }
  }

  /// Returns a C struct in the arena with the fields of the message.
  @inlinable
  func root<M: ProtobufMessage>(_ value: M) -> UnsafeMutableRawPointer {
    let target = unsafe structure(M.descriptor)
    unsafe value.fill(target, in: self)
    return unsafe target
  }

  /// Returns an initialized C struct in the arena.
  @usableFromInline
  func structure(_ descriptor: MessageDescriptor) -> UnsafeMutableRawPointer {
    let target = unsafe take(descriptor.pointer.pointee.sizeof_message)
    unsafe protobuf_c_message_init(descriptor.pointer, target)
    return unsafe target
  }

  private func place(_ bytes: UnsafeRawBufferPointer) -> ProtobufCBinaryData {
    guard let source = bytes.baseAddress, unsafe !bytes.isEmpty else {
      return unsafe ProtobufCBinaryData(len: 0, data: nil)
    }
    let target = unsafe take(bytes.count)
    unsafe target.copyMemory(from: source, byteCount: bytes.count)
    return unsafe ProtobufCBinaryData(
      len: bytes.count,
      data: target.assumingMemoryBound(to: UInt8.self)
    )
  }

  @inlinable
  func place<Value, CValue>(
    _ values: [Value],
    _ convert: (Value) -> CValue
  ) -> UnsafeMutablePointer<CValue>? {
    guard !values.isEmpty else { return nil }
    let start = unsafe take(values.count * MemoryLayout<CValue>.stride)
      .bindMemory(to: CValue.self, capacity: values.count)
    for (index, value) in values.enumerated() {
      unsafe (start + index).initialize(to: convert(value))
    }
    return unsafe start
  }

  @usableFromInline
  func take(_ size: Int) -> UnsafeMutableRawPointer {
    guard let memory = unsafe allocate(size) else { preconditionFailure("the arena has a limit") }
    return unsafe memory
  }
}
