public import CProtobufC

/// For generated code: values into C structs that are about to be packed.
///
/// An arena for packing has no limit: what it holds is ours.
extension Arena {
  /// A string's UTF-8.
  public func place(_ value: String) -> ProtobufCBinaryData {
    var value = value
    return value.withUTF8 { unsafe place(UnsafeRawBufferPointer($0)) }
  }

  /// Bytes.
  public func place(_ value: [UInt8]) -> ProtobufCBinaryData {
    unsafe value.withUnsafeBytes { unsafe place($0) }
  }

  /// The elements of a repeated string field.
  public func place(_ values: [String]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
    unsafe place(values) { unsafe place($0) }
  }

  /// The elements of a repeated bytes field.
  public func place(_ values: [[UInt8]]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
    unsafe place(values) { unsafe place($0) }
  }

  /// The elements of a repeated field of numbers.
  @inlinable
  public func place<T: BitwiseCopyable>(_ values: [T]) -> UnsafeMutablePointer<T>? {
    unsafe place(values) { $0 }
  }

  /// The elements of a repeated field of booleans.
  public func place(_ values: [Bool]) -> UnsafeMutablePointer<protobuf_c_boolean>? {
    unsafe place(values) { $0 ? 1 : 0 }
  }

  /// The elements of a repeated enum field, as C's type for the enum.
  @inlinable
  public func place<T: ProtobufEnum, CEnum: BitwiseCopyable>(
    _ values: [T]
  ) -> UnsafeMutablePointer<CEnum>? {
    precondition(MemoryLayout<CEnum>.size == MemoryLayout<Int32>.size)
    let numbers = unsafe place(values) { $0.rawValue }
    return unsafe UnsafeMutableRawPointer(numbers)?.assumingMemoryBound(to: CEnum.self)
  }

  /// A submessage.
  @inlinable
  public func place<M: ProtobufMessage, CStruct>(
    _ value: M?
  ) -> UnsafeMutablePointer<CStruct>? {
    guard let value else { return nil }
    return unsafe root(value).assumingMemoryBound(to: CStruct.self)
  }

  /// The elements of a repeated message field.
  @inlinable
  public func place<M: ProtobufMessage, CStruct>(
    _ values: [M]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<CStruct>?>? {
    unsafe place(values) { unsafe root($0).assumingMemoryBound(to: CStruct.self) }
  }

  /// The C struct of a message, filled.
  @inlinable
  func root<M: ProtobufMessage>(_ value: M) -> UnsafeMutableRawPointer {
    let target = unsafe structure(M.descriptor)
    unsafe value.fill(target, in: self)
    return unsafe target
  }

  /// An initialised C struct.
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
    guard let memory = unsafe allocate(size) else { preconditionFailure("an arena with a limit") }
    return unsafe memory
  }
}
