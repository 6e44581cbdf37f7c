public import CProtobufC

/// Functions for generated code that read values from unpacked C structs.
///
/// The pointers and counts come from protobuf-c, which has checked them against the input.
extension Arena {
  /// Reads a string, which may contain NUL bytes.
  ///
  /// - Throws: ``ProtobufError/invalidUTF8(field:)``.
  public func string(
    _ data: ProtobufCBinaryData,
    field: StaticString
  ) throws(ProtobufError) -> String {
    guard let start = unsafe data.data, unsafe data.len > 0 else { return "" }
    let bytes = unsafe UnsafeBufferPointer(start: start, count: data.len)
    do {
      return String(copying: try UTF8Span(validating: unsafe bytes.span))
    } catch {
      throw .invalidUTF8(field: field.description)
    }
  }

  /// Reads a bytes field.
  public func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
    guard let start = unsafe data.data, unsafe data.len > 0 else { return [] }
    return unsafe [UInt8](UnsafeBufferPointer(start: start, count: data.len))
  }

  /// Reads the elements of a repeated string field.
  ///
  /// - Throws: ``ProtobufError/invalidUTF8(field:)`` or ``ProtobufError/tooLarge(message:limit:)``.
  public func strings(
    _ start: UnsafePointer<ProtobufCBinaryData>?,
    count: Int,
    field: StaticString
  ) throws(ProtobufError) -> [String] {
    guard count > 0, let start = unsafe start else { return [] }
    try charge(count * MemoryLayout<String>.stride)
    var result: [String] = []
    result.reserveCapacity(count)
    for index in 0..<count { result.append(try unsafe string(start[index], field: field)) }
    return result
  }

  /// Reads the elements of a repeated bytes field.
  public func byteArrays(
    _ start: UnsafePointer<ProtobufCBinaryData>?,
    count: Int
  ) -> [[UInt8]] {
    unsafe UnsafeBufferPointer(start: start, count: count).map { unsafe bytes($0) }
  }

  /// Reads the elements of a repeated numeric field.
  @inlinable
  public func scalars<T: BitwiseCopyable>(_ start: UnsafePointer<T>?, count: Int) -> [T] {
    unsafe [T](UnsafeBufferPointer(start: start, count: count))
  }

  /// Reads the elements of a repeated Boolean field.
  public func bools(_ start: UnsafePointer<protobuf_c_boolean>?, count: Int) -> [Bool] {
    unsafe UnsafeBufferPointer(start: start, count: count).map { $0 != 0 }
  }

  /// Reads the elements of a repeated enum field.
  ///
  /// Only the caller knows the enum's C type, which has the size of an `int`.
  @inlinable
  public func enums<T: ProtobufEnum, CEnum: BitwiseCopyable>(
    _ start: UnsafePointer<CEnum>?,
    count: Int
  ) -> [T] {
    precondition(MemoryLayout<CEnum>.size == MemoryLayout<Int32>.size)
    let bytes = unsafe UnsafeRawPointer(start)
    let numbers = unsafe UnsafeBufferPointer(
      start: bytes?.assumingMemoryBound(to: Int32.self),
      count: count
    )
    return unsafe numbers.map { T(rawValue: $0) }
  }

  /// Reads a submessage; returns nil if it is absent.
  ///
  /// - Throws: The ``ProtobufError`` of one of its fields.
  @inlinable
  public func message<M: ProtobufMessage>(
    _ source: UnsafeRawPointer?
  ) throws(ProtobufError) -> M? {
    guard let source = unsafe source else { return nil }
    var message = M()
    try unsafe message.load(source, in: self)
    return message
  }

  /// Reads the elements of a repeated message field.
  ///
  /// - Throws: ``ProtobufError/tooLarge(message:limit:)``, or the ``ProtobufError`` of a field.
  @inlinable
  public func messages<M: ProtobufMessage, CStruct>(
    _ start: UnsafePointer<UnsafeMutablePointer<CStruct>?>?,
    count: Int
  ) throws(ProtobufError) -> [M] {
    guard count > 0, let start = unsafe start else { return [] }
    let (size, overflows) = count.multipliedReportingOverflow(by: MemoryLayout<M>.stride)
    try charge(overflows ? Int.max : size)
    var result: [M] = []
    result.reserveCapacity(count)
    for index in 0..<count {
      guard let source = unsafe start[index] else { continue }
      var message = M()
      try unsafe message.load(source, in: self)
      result.append(message)
    }
    return result
  }
}
