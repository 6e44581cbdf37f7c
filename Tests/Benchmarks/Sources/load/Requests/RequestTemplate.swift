internal import Glibc

/// A Request frame prepared as bytes: for a call, it is copied, and what differs is written over.
///
/// Its memory is never given back: there are two of them at most, for as long as the program runs.
@safe
struct RequestTemplate {
  let length: Int
  private let bytes: UnsafePointer<UInt8>
  /// Where in the frame the number of the user and the id of the reservation stand; nil: nowhere.
  private let userNumber: Int?
  private let reservation: Int?

  /// `user` and `reservation` say where in the payload these texts begin.
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

  /// Writes the frame of a call: `length` bytes.
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
