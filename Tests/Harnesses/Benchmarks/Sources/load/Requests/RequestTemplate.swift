internal import Glibc

/// An encoded request frame, which is copied for each call and overwritten with the call's ids.
///
/// Its memory is never freed: there are at most two templates, for the whole run.
@safe
struct RequestTemplate {
  let length: Int
  private let bytes: UnsafePointer<UInt8>
  /// The offset of the user's number in the frame; `nil` if the request has no user.
  private let userNumber: Int?
  /// The offset of the reservation's id in the frame; `nil` if the request has none.
  private let reservation: Int?

  /// Creates a template; `user` and `reservation` are the offsets of these texts in the payload.
  init(
    service: String, method: String, payload: [UInt8], user: Int? = nil, reservation: Int? = nil
  ) {
    var envelope = MessageWriter()
    envelope.string(1, service)
    envelope.string(2, method)
    let start = FrameHeader.size + envelope.message(3, payload)
    let frame = FrameHeader.frame(
      streamID: 0, kind: FrameHeader.Kind.request, body: envelope.bytes)
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: frame.count)
    _ = unsafe copy.initialize(from: frame)
    unsafe bytes = unsafe UnsafePointer(copy.baseAddress.unsafelyUnwrapped)
    length = frame.count
    userNumber = user.map { start + $0 + Identifiers.numberOffset }
    self.reservation = reservation.map { start + $0 }
  }

  /// Writes the frame of a call, `length` bytes.
  @inline(__always)
  func write(to start: UnsafeMutableRawPointer, _ call: Call) {
    unsafe memcpy(start, bytes, length)
    unsafe start.storeBytes(of: call.streamID.bigEndian, toByteOffset: 4, as: UInt32.self)
    if let userNumber {
      unsafe start.storeBytes(
        of: HexDigits.text(of: call.user), toByteOffset: userNumber, as: UInt64.self)
    }
    if let reservation {
      unsafe call.reservation.write(to: start + reservation)
    }
  }
}
