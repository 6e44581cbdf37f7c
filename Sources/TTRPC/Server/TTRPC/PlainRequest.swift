/// A request's envelope that was parsed on the fast path: in place, without a copy.
///
/// The fast path accepts the envelopes that nearly all clients send: a service, a method, a payload
/// and a timeout, each at most once, and nothing else. It must agree with `WireRequest` on every
/// envelope that it accepts. An envelope that it rejects may still be valid, and `WireRequest`
/// decides.
@safe struct PlainRequest {
  private(set) var service: UnsafeRawBufferPointer
  private(set) var method: UnsafeRawBufferPointer
  private(set) var payload: UnsafeRawBufferPointer
  private let timeoutNano: Int64

  /// The time that the call may take, from now; nil for no limit.
  ///
  /// A negative value means that the deadline has passed.
  var timeout: Duration? { timeoutNano == 0 ? nil : .nanoseconds(timeoutNano) }

  /// Parses an envelope, or returns nil if the fast path does not accept it.
  ///
  /// - Parameter bytes: A frame's payload. The memory must stay valid while the request is used.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var reader = unsafe Reader(bytes: bytes)
    let empty = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    unsafe (service, method, payload) = unsafe (empty, empty, empty)
    var timeout: UInt64 = 0
    var fieldsSeen: UInt8 = 0
    while !reader.isAtEnd {
      // Tags of fields up to 15 take one byte.
      guard let tag = reader.byte(), tag >> 3 <= 4, fieldsSeen & (1 << (tag >> 3)) == 0 else {
        return nil
      }
      fieldsSeen |= 1 << (tag >> 3)
      switch tag {
      case 0x0a:
        guard let field = unsafe reader.lengthDelimited() else { return nil }
        unsafe service = field
      case 0x12:
        guard let field = unsafe reader.lengthDelimited() else { return nil }
        unsafe method = field
      case 0x1a:
        guard let field = unsafe reader.lengthDelimited() else { return nil }
        unsafe payload = field
      case 0x20:
        guard let number = reader.varint() else { return nil }
        timeout = number
      default:
        return nil
      }
    }
    timeoutNano = Int64(bitPattern: timeout)
  }

  @safe private struct Reader {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    var isAtEnd: Bool { unsafe position == bytes.count }

    mutating func byte() -> UInt8? {
      guard unsafe position < bytes.count else { return nil }
      defer { position += 1 }
      return unsafe bytes[position]
    }

    mutating func varint() -> UInt64? {
      var result: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 7) {
        guard let byte = byte() else { return nil }
        // The tenth byte of a 64-bit varint holds one bit.
        guard shift < 63 || byte <= 1 else { return nil }
        result |= UInt64(byte & 0x7f) << shift
        if byte & 0x80 == 0 { return result }
      }
      return nil
    }

    mutating func lengthDelimited() -> UnsafeRawBufferPointer? {
      guard let length = varint(), unsafe length <= UInt64(bytes.count - position) else {
        return nil
      }
      defer { position += Int(length) }
      return unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(length)])
    }
  }
}
