internal import Glibc

/// The encoded frames of a request, which are copied for each call and overwritten with the call's
/// ids.
///
/// Its memory is never freed: there are at most two templates, for the whole run.
@safe
struct RequestTemplate {
  let length: Int
  /// The number of bytes that count for the flow control of HTTP/2; 0 for ttrpc, which has none.
  let dataLength: Int
  private let bytes: UnsafePointer<UInt8>
  /// The offset of the stream id in the first frame.
  private let streamID: Int
  /// The offset of the stream id in the second frame; `nil` if there is only one.
  private let secondStreamID: Int?
  /// The offset of the user's number; `nil` if the request has no user.
  private let userNumber: Int?
  /// The offset of the reservation's id; `nil` if the request has none.
  private let reservation: Int?

  /// Creates a template of a request in ttrpc, which is one frame.
  init(ttrpc request: Request) {
    var envelope = MessageWriter()
    envelope.string(1, request.service)
    envelope.string(2, request.method)
    let payload = FrameHeader.size + envelope.message(3, request.payload)
    let frame = FrameHeader.frame(
      streamID: 0, kind: FrameHeader.Kind.request, body: envelope.bytes)
    self.init(
      frame, request, payload: payload, streamID: FrameHeader.streamIDOffset, secondStreamID: nil,
      dataLength: 0)
  }

  /// Creates a template of a request in gRPC, which is a frame with headers and one with data.
  ///
  /// - Parameter isFirst: True for the first request of a connection, which adds the headers to
  ///   HPACK's dynamic table. The other requests only refer to them, as those of gRPC's clients do.
  init(grpc request: Request, isFirst: Bool) {
    let headers = HTTP2FrameHeader.frame(
      kind: HTTP2FrameHeader.Kind.headers, flags: HTTP2FrameHeader.Flags.endHeaders,
      body: isFirst ? GRPCHeaders.literal(request) : GRPCHeaders.indexed)
    let message = GRPCMessage.prefix(length: request.payload.count) + request.payload
    let data = HTTP2FrameHeader.frame(
      kind: HTTP2FrameHeader.Kind.data, flags: HTTP2FrameHeader.Flags.endStream, body: message)
    self.init(
      headers + data, request,
      payload: headers.count + HTTP2FrameHeader.size + GRPCMessage.prefixLength,
      streamID: HTTP2FrameHeader.streamIDOffset,
      secondStreamID: headers.count + HTTP2FrameHeader.streamIDOffset, dataLength: message.count)
  }

  /// Creates a template of frames; the other parameters are offsets in them.
  private init(
    _ frames: [UInt8], _ request: Request, payload: Int, streamID: Int, secondStreamID: Int?,
    dataLength: Int
  ) {
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: frames.count)
    _ = unsafe copy.initialize(from: frames)
    unsafe bytes = unsafe UnsafePointer(copy.baseAddress.unsafelyUnwrapped)
    length = frames.count
    self.dataLength = dataLength
    self.streamID = streamID
    self.secondStreamID = secondStreamID
    userNumber = request.user.map { payload + $0 + Identifiers.numberOffset }
    reservation = request.reservation.map { payload + $0 }
  }

  /// Writes the frames of a call, `length` bytes.
  @inline(__always)
  func write(to start: UnsafeMutableRawPointer, _ call: Call) {
    unsafe memcpy(start, bytes, length)
    let id = call.streamID.bigEndian
    unsafe start.storeBytes(of: id, toByteOffset: streamID, as: UInt32.self)
    if let secondStreamID {
      unsafe start.storeBytes(of: id, toByteOffset: secondStreamID, as: UInt32.self)
    }
    if let userNumber {
      unsafe start.storeBytes(
        of: HexDigits.text(of: call.user), toByteOffset: userNumber, as: UInt64.self)
    }
    if let reservation {
      unsafe call.reservation.write(to: start + reservation)
    }
  }
}
