internal import NIOCore
internal import ProtobufC
internal import TTRPC

/// The responses of a connection: the messages and the outcomes of calls, until they are sent.
final class GRPCResponses {
  private let session: HTTP2Session
  private let streams: GRPCStreams
  /// Sends the session's output soon.
  var scheduleFlush: () -> Void = {}
  /// Bytes of stream messages that wait for the peer's flow control or for the socket.
  private(set) var messageBytes = 0
  /// Bytes of the only responses of calls that wait likewise.
  private(set) var responseBytes = 0
  /// The time of the first tick after the last bytes of an ended call were sent, if more bytes of
  /// such calls wait.
  private(set) var stalledSince: NIODeadline?
  /// Streams whose outcome does not wait until the peer has taken the messages before it.
  private var endedEarly: [UInt32] = []
  /// Streams that have sent some of their bytes, and whose writers wait.
  private var drained: [UInt32] = []

  init(_ session: HTTP2Session, _ streams: GRPCStreams) {
    self.session = session
    self.streams = streams
  }

  // MARK: Outcomes

  /// Answers a request that has no call.
  func refuse(_ id: UInt32, _ refusal: GRPCRequestHead.Refusal) {
    switch refusal {
    case .grpc(let error):
      session.respond(id, GRPCResponse.trailersOnly(error), endsStream: true)
    case .http(let status, let message):
      session.respond(id, GRPCResponse.refusal(status: status, message), endsStream: true)
    }
    scheduleFlush()
  }

  /// Sends the only response of a call.
  func end(_ stream: GRPCStream, with response: borrowing Serializer) {
    let size = response.byteCount
    var frame = Self.frame(size)
    unsafe frame.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
      unsafe response.pack(into: bytes)
      return size
    }
    end(stream, withFrame: frame)
  }

  /// Sends the only response of a call, which is serialized.
  func end(_ stream: GRPCStream, with response: [UInt8]) {
    var frame = Self.frame(response.count)
    frame.writeBytes(response)
    end(stream, withFrame: frame)
  }

  /// Returns the prefix of a message, with memory for the message.
  private static func frame(_ size: Int) -> ByteBuffer {
    var frame = ByteBuffer()
    frame.reserveCapacity(GRPCMessageReader.prefixLength + size)
    MessageFraming.grpc.writePrefix(&frame, size, 0)
    return frame
  }

  private func end(_ stream: GRPCStream, withFrame frame: ByteBuffer) {
    stream.hasEnded = true
    stream.hasSingleResponse = true
    stream.unsent = frame
    stream.trailers = GRPCResponse.trailers(nil, stream.metadata.trailing)
    responseBytes += frame.readableBytes
    session.respond(
      stream.id, GRPCResponse.headers(stream.metadata.initial), endsStream: false)
    scheduleFlush()
  }

  /// Sends the outcome of a call without a single response.
  func end(_ stream: GRPCStream, _ error: RPCError?, isEarly: Bool) {
    stream.hasEnded = true
    if let error, !stream.hasSentHeaders {
      let (initial, trailing) = stream.metadata
      session.respond(
        stream.id, GRPCResponse.trailersOnly(error, initial + trailing), endsStream: true)
      return scheduleFlush()
    }
    stream.trailers = GRPCResponse.trailers(error, stream.metadata.trailing)
    begin(stream)
    if isEarly, stream.unsent.readableBytes > 0 { endedEarly.append(stream.id) }
    scheduleFlush()
  }

  /// Asks the session to send a stream's data, with the headers before it.
  private func begin(_ stream: GRPCStream) {
    guard !stream.hasSentHeaders else { return session.resume(stream.id) }
    stream.hasSentHeaders = true
    session.respond(
      stream.id, GRPCResponse.headers(stream.metadata.initial), endsStream: false)
    session.share(stream.id)
  }

  /// Resets the streams that have ended early and whose messages the peer does not take, after all
  /// was sent that the peer permits.
  func resetEndedEarly() {
    guard !endedEarly.isEmpty else { return }
    for id in endedEarly {
      guard let stream = streams[id], stream.unsent.readableBytes > 0 else { continue }
      drop(stream)
      session.reset(id, .cancel)
      scheduleFlush()
    }
    endedEarly = []
  }

  /// Forgets the bytes that a stream has not sent.
  func drop(_ stream: GRPCStream) {
    count(stream, -stream.unsent.readableBytes)
    stream.unsent = ByteBuffer()
  }

  private func count(_ stream: GRPCStream, _ change: Int) {
    if stream.hasSingleResponse { responseBytes += change } else { messageBytes += change }
  }

  // MARK: Data

  func nextData(_ id: UInt32, limit: Int) -> HTTP2Session.OutgoingData? {
    guard let stream = streams[id] else { return nil }
    let available = stream.unsent.readableBytes
    if available > limit { return HTTP2Session.OutgoingData(count: limit) }
    guard available > 0 || stream.trailers != nil else { return nil }
    return HTTP2Session.OutgoingData(count: available, trailers: stream.trailers)
  }

  func moveData(_ id: UInt32, _ count: Int, to output: inout ByteBuffer) {
    guard let stream = streams[id], var bytes = stream.unsent.readSlice(length: count) else {
      preconditionFailure("the stream has the bytes that it has announced")
    }
    output.writeBuffer(&bytes)
    if stream.unsent.readableBytes == 0 { stream.unsent = ByteBuffer() }
    self.count(stream, -count)
    if stream.hasEnded { stalledSince = nil }
    if !stream.waiting.isEmpty { drained.append(id) }
  }

  /// Notes that a stream is closed.
  func closed(_ stream: GRPCStream) {
    drop(stream)
    if stream.hasEnded { stalledSince = nil }
  }

  /// Notes the time, once in each tick of the connection's watch.
  func ticked(at now: NIODeadline) {
    guard stalledSince == nil else { return }
    if !streams.ids(where: \.hasEnded).isEmpty { stalledSince = now }
  }

  // MARK: Stream messages, which wait until the peer has taken earlier ones

  /// Writes a message, unless too many of its stream wait.
  func take(_ frame: ByteBuffer, of stream: GRPCStream) -> Bool {
    guard stream.unsent.readableBytes < ServerLimits.maximumUnsentBytes, stream.waiting.isEmpty
    else { return false }
    write(frame, of: stream)
    return true
  }

  private func write(_ frame: ByteBuffer, of stream: GRPCStream) {
    messageBytes += frame.readableBytes
    if stream.unsent.readableBytes == 0 {
      stream.unsent = frame
    } else {
      stream.unsent.discardReadBytes()
      stream.unsent.writeImmutableBuffer(frame)
    }
    begin(stream)
    scheduleFlush()
  }

  func wait(_ frame: ByteBuffer, of stream: GRPCStream, _ writer: MessageTaken) {
    stream.waiting.append((frame, writer))
    messageBytes += frame.readableBytes
  }

  /// Writes the messages whose turn it is, after bytes were sent.
  func writeWaiting() {
    guard !drained.isEmpty else { return }
    let ids = drained
    drained = []
    for id in ids { writeWaiting(of: id) }
  }

  /// Writes the messages of a stream whose turn it is.
  func writeWaiting(of id: UInt32) {
    while let stream = streams[id], !stream.waiting.isEmpty,
      stream.unsent.readableBytes < ServerLimits.maximumUnsentBytes
    {
      let next = stream.waiting.removeFirst()
      messageBytes -= next.frame.readableBytes
      write(next.frame, of: stream)
      next.writer.resume(returning: .success(()))
    }
  }

  func dropWaiting(of stream: GRPCStream, _ error: RPCError) {
    guard !stream.waiting.isEmpty else { return }
    let waiting = stream.waiting
    stream.waiting = []
    for entry in waiting {
      messageBytes -= entry.frame.readableBytes
      entry.writer.resume(returning: .failure(error))
    }
  }
}
