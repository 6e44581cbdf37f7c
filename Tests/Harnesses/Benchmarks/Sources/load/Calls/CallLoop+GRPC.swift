internal import Glibc

// The responses of gRPC, each of which is a frame with headers, one with data, and one with
// trailers.
extension CallLoop {
  /// Takes the received frames.
  ///
  /// Header lists are not decoded: a response with a message and trailers is a success. The
  /// response of a call that failed has no message.
  ///
  /// - Throws: `LoadError` if a call failed.
  @inline(__always)
  mutating func receiveGRPC(_ index: Int, _ now: UInt64) throws(LoadError) {
    let connection = unsafe connections.baseAddress.unsafelyUnwrapped + index
    while let frame = try unsafe connection.pointee.received.next(HTTP2FrameHeader.self) {
      let header = frame.header
      switch header.kind {
      case HTTP2FrameHeader.Kind.data:
        let message = try Self.message(frame)
        guard unsafe connection.pointee.calls.setSuccess(message.succeeded, of: header.streamID)
        else { throw LoadError("the server sent a message on stream \(header.streamID)") }
        unsafe connection.pointee.flow.received(Int(header.length), &connection.pointee.unsent)
      case HTTP2FrameHeader.Kind.headers:
        guard header.flags & HTTP2FrameHeader.Flags.endStream != 0 else { continue }
        guard let call = unsafe connection.pointee.calls.close(header.streamID) else {
          throw LoadError("the server responded on stream \(header.streamID) without a call")
        }
        guard let succeeded = call.succeeded else {
          throw LoadError("the server responded on stream \(header.streamID) without a message")
        }
        try ended(call, declined: mayDecline && !succeeded, index, now)
      default:
        try unsafe connection.pointee.takeControl(frame)
      }
    }
  }

  /// Decodes a DATA frame that consists of one message.
  @inline(__always)
  private static func message(
    _ frame: ReceiveBuffer.Frame<HTTP2FrameHeader>
  ) throws(LoadError) -> Answer {
    let unsupported = HTTP2FrameHeader.Flags.padded | HTTP2FrameHeader.Flags.endStream
    let length = unsafe frame.body.count - GRPCMessage.prefixLength
    guard frame.header.flags & unsupported == 0, length >= 0,
      unsafe frame.body[0] == 0,
      unsafe UInt32(bigEndian: frame.body.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        == UInt32(length)
    else { throw LoadError("a frame from the server is not one message") }
    return unsafe Answer(
      payload: UnsafeRawBufferPointer(rebasing: frame.body[GRPCMessage.prefixLength...]))
  }
}

extension Connection {
  /// Takes a frame of HTTP/2 that belongs to no response.
  fileprivate mutating func takeControl(
    _ frame: ReceiveBuffer.Frame<HTTP2FrameHeader>
  ) throws(LoadError) {
    let header = frame.header
    switch header.kind {
    case HTTP2FrameHeader.Kind.settings, HTTP2FrameHeader.Kind.ping:
      guard header.flags & HTTP2FrameHeader.Flags.ack == 0 else { return }
      // The acknowledgement of PING repeats its body.
      let body = header.kind == HTTP2FrameHeader.Kind.ping ? unsafe Array(frame.body) : []
      unsent.append(
        contentsOf: HTTP2FrameHeader.frame(
          kind: header.kind, flags: HTTP2FrameHeader.Flags.ack, body: body))
    case HTTP2FrameHeader.Kind.windowUpdate:
      guard header.streamID == 0, header.length == 4 else { return }
      unsafe flow.sendWindow += Int(
        UInt32(bigEndian: frame.body.loadUnaligned(as: UInt32.self)))
    case HTTP2FrameHeader.Kind.resetStream:
      // A server may reset the stream of a finished call.
      guard calls.close(header.streamID) == nil else {
        throw LoadError("the server reset stream \(header.streamID)")
      }
    case HTTP2FrameHeader.Kind.goAway:
      let reason = unsafe String(decoding: frame.body.dropFirst(8), as: UTF8.self)
      throw LoadError("the server ends a connection: \(reason)")
    default: break
    }
  }
}
