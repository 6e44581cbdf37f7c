/// A decoded response frame that refers to the buffer, and is valid until the next read into it.
@safe
struct Answer {
  /// The number of google.rpc.Code; 0 is OK.
  private(set) var code: UInt64 = 0
  /// The message of the status; empty for OK.
  private(set) var message: UnsafeRawBufferPointer
  private(set) var payload: UnsafeRawBufferPointer

  /// Decodes the envelope of a response; `nil` if it is malformed.
  @inline(__always)
  init?(_ body: UnsafeRawBufferPointer) {
    unsafe message = UnsafeRawBufferPointer(start: nil, count: 0)
    unsafe payload = UnsafeRawBufferPointer(start: nil, count: 0)
    var envelope = unsafe FieldScanner(body)
    while envelope.next() {
      switch envelope.field {
      case 1:
        guard unsafe readStatus(envelope.bytes) else { return nil }
      case 2: unsafe payload = unsafe envelope.bytes
      default: break
      }
    }
    if envelope.isMalformed { return nil }
  }

  @inline(__always)
  private mutating func readStatus(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var status = unsafe FieldScanner(bytes)
    while status.next() {
      switch status.field {
      case 1: code = status.value
      case 2: unsafe message = unsafe status.bytes
      default: break
      }
    }
    return !status.isMalformed
  }

  /// Creates the answer of a call that succeeded.
  @inline(__always)
  init(payload: UnsafeRawBufferPointer) {
    unsafe message = UnsafeRawBufferPointer(start: nil, count: 0)
    unsafe self.payload = unsafe payload
  }

  /// True if field 1 of the payload is true, which is `success` of a ReserveCreditsResponse.
  @inline(__always)
  var succeeded: Bool {
    var fields = unsafe FieldScanner(payload)
    // Fields are in the order of their numbers.
    while fields.next() {
      if fields.field == 1 { return fields.value != 0 }
    }
    return false
  }

  var messageText: String { unsafe String(decoding: message, as: UTF8.self) }
}
