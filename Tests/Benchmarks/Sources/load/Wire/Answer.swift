/// What a Response frame says, read where it lies in the buffer: good until that is read into again.
@safe
struct Answer {
  /// As of google.rpc.Code; 0: all went well.
  private(set) var code: UInt64 = 0
  /// For people; of a status alone.
  private(set) var message: UnsafeRawBufferPointer
  private(set) var payload: UnsafeRawBufferPointer

  /// Nil where the bytes are no envelope.
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

  /// Whether the payload's field 1, a bool, is true: `success` of a ReserveCreditsResponse.
  @inline(__always)
  var succeeded: Bool {
    var fields = unsafe FieldScanner(payload)
    // It comes first, where it is there at all.
    while fields.next() {
      if fields.field == 1 { return fields.value != 0 }
    }
    return false
  }

  var messageText: String { unsafe String(decoding: message, as: UTF8.self) }
}
