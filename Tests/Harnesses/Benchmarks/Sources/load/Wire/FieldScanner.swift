/// A scanner of the fields of an encoded protobuf message that copies nothing.
///
/// The bytes must outlive it. It never reads beyond them: malformed bytes end the scan and set
/// `isMalformed`.
@safe
struct FieldScanner {
  private var cursor: UnsafeRawPointer
  private let end: UnsafeRawPointer

  /// The number of the current field; 0 before the first.
  private(set) var field: UInt64 = 0
  /// The value of the current field if it is a varint; otherwise 0.
  private(set) var value: UInt64 = 0
  /// The bytes of the current field if it is length-delimited; otherwise none.
  private(set) var bytes: UnsafeRawBufferPointer
  private(set) var isMalformed = false

  @inline(__always)
  init(_ message: UnsafeRawBufferPointer) {
    unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    if let base = message.baseAddress {
      unsafe cursor = unsafe base
      unsafe end = unsafe base + message.count
    } else {
      // No byte is read, since both are equal.
      unsafe cursor = unsafe UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
      unsafe end = unsafe cursor
    }
  }

  /// Moves to the next field; false at the end, and if the bytes are malformed.
  @inline(__always)
  mutating func next() -> Bool {
    guard unsafe cursor < end, let tag = varint() else { return false }
    field = tag >> 3
    value = 0
    unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    switch tag & 7 {
    case 0:
      guard let number = varint() else { return false }
      value = number
    case 1:
      return skip(8)
    case 2:
      guard let length = varint() else { return false }
      let start = unsafe cursor
      guard skip(length) else { return false }
      unsafe bytes = UnsafeRawBufferPointer(start: start, count: Int(length))
    case 5:
      return skip(4)
    default:
      return fail()
    }
    return true
  }

  @inline(__always)
  private mutating func skip(_ length: UInt64) -> Bool {
    guard length <= UInt64(unsafe end - cursor) else { return fail() }
    unsafe cursor += Int(length)
    return true
  }

  @inline(__always)
  private mutating func varint() -> UInt64? {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while unsafe cursor < end, shift < 70 {
      let byte = unsafe cursor.load(as: UInt8.self)
      unsafe cursor += 1
      result |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return result }
      shift &+= 7
    }
    isMalformed = true
    return nil
  }

  private mutating func fail() -> Bool {
    isMalformed = true
    return false
  }
}
