public import CProtobufC

/// For generated code: values out of unpacked C structs.
///
/// Pointers and counts come from protobuf-c, which has checked them against the input.
extension Arena {
  /// A string, NUL bytes and all.
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

  /// A copy of the bytes.
  public func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
    guard let start = unsafe data.data, unsafe data.len > 0 else { return [] }
    return unsafe [UInt8](UnsafeBufferPointer(start: start, count: data.len))
  }

  /// The elements of a repeated string field.
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

  /// The elements of a repeated bytes field.
  public func byteArrays(
    _ start: UnsafePointer<ProtobufCBinaryData>?,
    count: Int
  ) -> [[UInt8]] {
    unsafe UnsafeBufferPointer(start: start, count: count).map { unsafe bytes($0) }
  }

  /// The elements of a repeated field of numbers.
  @inlinable
  public func scalars<T: BitwiseCopyable>(_ start: UnsafePointer<T>?, count: Int) -> [T] {
    unsafe [T](UnsafeBufferPointer(start: start, count: count))
  }

  /// The elements of a repeated field of booleans.
  public func bools(_ start: UnsafePointer<protobuf_c_boolean>?, count: Int) -> [Bool] {
    unsafe UnsafeBufferPointer(start: start, count: count).map { $0 != 0 }
  }

  /// The elements of a repeated enum field. C's type for the enum, as large as an `int`, is only
  /// known to the caller.
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

  /// A submessage, or `nil` where it is absent.
  @inlinable
  public func message<M: ProtobufMessage>(
    _ source: UnsafeRawPointer?
  ) throws(ProtobufError) -> M? {
    guard let source = unsafe source else { return nil }
    var message = M()
    try unsafe message.load(source, in: self)
    return message
  }

  /// The elements of a repeated message field.
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
