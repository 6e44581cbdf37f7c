internal import NIOCore
internal import TTRPC

/// The requests of a connection: it makes calls of the headers and the data of streams.
final class GRPCRequests {
  private let connection: ServerConnection
  private let session: HTTP2Session
  private let streams: GRPCStreams
  private let responses: GRPCResponses
  private let head: GRPCRequestHead
  /// Handles the reset of a stream that was not opened.
  var streamRefused: () -> Void = {}
  /// The data of the current frame, if it may be the whole request of a call.
  private var frame: [UInt8] = []
  /// The stream whose last frame is in ``frame``.
  private var frameStreamID: UInt32?
  /// The number of bytes of requests that have not arrived completely.
  private(set) var bytes = 0
  /// The number of bytes that may be decoded in this turn.
  private var decodableBytes = 0
  /// The streams with a compressed message that is not decoded yet.
  private var decoding: [UInt32] = []
  /// The time at which the connection's turn began, which is when the calls of its frames begin.
  private var turnBegan: NIODeadline

  private var calls: CallTable { connection.calls }
  private var limits: ServerLimits { connection.limits }

  init(
    _ connection: ServerConnection, _ session: HTTP2Session, _ streams: GRPCStreams,
    _ responses: GRPCResponses
  ) {
    self.connection = connection
    self.session = session
    self.streams = streams
    self.responses = responses
    turnBegan = connection.now
    head = GRPCRequestHead(connection.methods)
  }

  /// Notes that it is the connection's turn: frames are taken, or messages are decoded.
  func turnBegins() {
    turnBegan = connection.now
    decodableBytes = Self.decodedBytesPerTurn
  }

  // MARK: Headers

  func headersBegan() { head.reset() }

  func headerReceived(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    unsafe head.add(name: name, value: value)
  }

  /// Handles the end of a header list: opens a stream with it, or ends the request of one.
  func headersEnded(_ id: UInt32, isRequest: Bool, endsStream: Bool) {
    if let error = head.error(isRequest: isRequest, endsStream: endsStream) {
      return reset(id, error)
    }
    if isRequest { open(id) }
    if endsStream { ended(id) }
  }

  /// Resets a stream whose request is malformed, and cancels its call.
  private func reset(_ id: UInt32, _ error: HTTP2Session.ErrorCode) {
    session.reset(id, error)
    guard let stream = streams[id] else { return streamRefused() }
    guard !stream.hasEnded else { return }
    stream.hasEnded = true
    drop(stream)
    calls.forget(id, RPCError(code: .cancelled, message: "the client sent a malformed request"))
  }

  private func open(_ id: UInt32) {
    let call: GRPCRequestHead.Call
    do throws(GRPCRequestHead.Refusal) {
      call = try head.call()
    } catch {
      connection.reads.countWaste()
      return responses.refuse(id, error)
    }
    var request = CallRequest(
      streamID: id, method: call.method, metadata: call.metadata, timeout: call.timeout,
      began: turnBegan, size: 0)
    let streamsRequests = call.method.descriptor.shape.streamsRequests
    if streamsRequests { request.requests = makeRequestQueue(id) }
    let stream = GRPCStream(
      request, streamsRequests: streamsRequests, opened: connection.reads.readingTime,
      reader: GRPCMessageReader(limit: limits.wire.maximumMessageSize, encoding: call.encoding))
    stream.unreceivedBytes = head.contentLength
    streams.add(stream)
    // The call of an unknown method does not wait for the request.
    if streamsRequests || !call.method.isKnown { start(stream) }
  }

  private func makeRequestQueue(_ id: UInt32) -> InboundQueue {
    let eventLoop = connection.eventLoop
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    return InboundQueue(budget: calls.inboundBudget) { _ in
      eventLoop.execute { this.value.requestTaken(of: id) }
    }
  }

  private func start(_ stream: GRPCStream) {
    let message = stream.message ?? []
    stream.message = nil
    bytes -= message.count
    unsafe message.withUnsafeBytes { unsafe start(stream, $0) }
  }

  private func start(_ stream: GRPCStream, _ message: UnsafeRawBufferPointer) {
    guard var request = stream.request.take() else { return }
    request.size = message.count
    unsafe calls.start(request, message)
  }

  // MARK: Data

  func dataReceived(_ id: UInt32, _ data: UnsafeRawBufferPointer, endsStream: Bool) {
    guard let stream = streams[id], !stream.hasEnded else { return session.consume(data.count) }
    stream.heldWindow += data.count
    if let unreceived = stream.unreceivedBytes {
      guard data.count <= unreceived else { return reset(id, .protocolError) }
      stream.unreceivedBytes = unreceived - data.count
    }
    bytes += data.count
    guard endsStream, stream.request != nil, stream.message == nil,
      !stream.reader.isInsideMessage
    else {
      unsafe stream.reader.append(data)
      return passRequests(of: stream)
    }
    if frameStreamID != id {
      frame.removeAll(keepingCapacity: true)
      frameStreamID = id
    }
    unsafe frame.append(contentsOf: data)
  }

  /// Starts the call whose request is the data of the frame that has just ended.
  ///
  /// - Returns: False if the stream's reader has the data.
  private func startWithFrame(_ stream: GRPCStream) -> Bool {
    guard frameStreamID == stream.id else { return false }
    frameStreamID = nil
    let data = frame
    if data.capacity > Self.maximumKeptCapacity { frame = [] }
    return unsafe data.withUnsafeBytes { data in
      let limit = limits.wire.maximumMessageSize
      guard let message = unsafe GRPCMessageReader.onlyMessage(in: data, limit: limit) else {
        unsafe stream.reader.append(data)
        return false
      }
      bytes -= data.count
      releaseWindow(of: stream)
      unsafe start(stream, message)
      return true
    }
  }

  /// The capacity up to which the memory of a frame is kept for the next one, in bytes.
  private static let maximumKeptCapacity = 1024

  /// Passes on the messages of a stream that have arrived completely, as far as its queue has
  /// capacity.
  ///
  /// The peer's window does not bound the queue: messages may grow when they are decoded.
  private func passRequests(of stream: GRPCStream) {
    guard !decoding.contains(stream.id) else { return }
    let capacity = limits.effectiveQueuedBytesPerStream
    do throws(RPCError) {
      while !stream.hasEnded {
        // The rest is passed on when the handler has taken a message.
        if stream.streamsRequests, let requests = calls.requests(of: stream.id),
          requests.bytes >= capacity
        {
          return
        }
        guard let message = try nextMessage(of: stream) else { break }
        try pass(message, of: stream)
      }
    } catch {
      return calls.end(stream.id, error)
    }
    if stream.reader.isDecoding {
      decoding.append(stream.id)
    } else if stream.requestHasEnded {
      endRequests(of: stream)
    }
  }

  private func nextMessage(
    of stream: GRPCStream
  ) throws(RPCError) -> GRPCMessageReader.Message? {
    let bytesBefore = stream.reader.bufferedBytes
    defer { bytes += stream.reader.bufferedBytes - bytesBefore }
    return try stream.reader.next(decodableBytes: &decodableBytes)
  }

  /// The number of bytes for which decompression costs as much as a wasted frame.
  private static let decompressedBytesPerFrame = 8192

  private func pass(
    _ message: GRPCMessageReader.Message, of stream: GRPCStream
  ) throws(RPCError) {
    // A member may also be far longer than its content.
    connection.reads.countWaste(
      abs(message.bytes.count - message.frameLength) / Self.decompressedBytesPerFrame)
    if stream.streamsRequests, let requests = calls.requests(of: stream.id) {
      stream.untakenFrames?.append(message.frameLength)
      return requests.append(message.bytes)
    }
    guard stream.message == nil else {
      throw RPCError(
        code: .invalidArgument, message: "second message for a method with a single request")
    }
    stream.message = message.bytes
    stream.request?.isCompressed = message.isCompressed
    bytes += message.bytes.count
    release(message.frameLength, of: stream)
  }

  /// Handles a message that the handler took from a stream's queue.
  private func requestTaken(of id: UInt32) {
    guard let stream = streams[id], let length = stream.untakenFrames?.popFirst() else { return }
    release(length, of: stream)
    passRequests(of: stream)
    if isDecoding { connection.reads.pause() }
    responses.scheduleFlush()
  }

  // MARK: Compressed messages

  /// The maximum number of bytes that are decoded in a turn, which takes some 0.2 ms.
  private static let decodedBytesPerTurn = 65_536

  /// A Boolean value that indicates whether messages wait for the connection's next turn.
  var isDecoding: Bool { !decoding.isEmpty }

  /// Decodes more of the messages that wait, one after the other.
  func decodeMore() {
    let waiting = decoding
    decoding = []
    for id in waiting {
      if let stream = streams[id] { passRequests(of: stream) }
    }
  }

  /// Handles the end of what the client sends on a stream.
  func ended(_ id: UInt32) {
    guard let stream = streams[id], !stream.requestHasEnded else { return }
    stream.requestHasEnded = true
    guard stream.hasEnded || stream.unreceivedBytes ?? 0 == 0 else {
      return reset(id, .protocolError)
    }
    if !startWithFrame(stream) { passRequests(of: stream) }
  }

  /// Passes on the end of a stream's requests, after its last message.
  private func endRequests(of stream: GRPCStream) {
    guard !stream.hasEnded else { return }
    let id = stream.id
    if stream.reader.isInsideMessage {
      calls.end(id, RPCError(code: .internalError, message: "the request ended within a message"))
    } else if stream.streamsRequests {
      calls.finishRequests(of: id)
    } else if stream.message != nil {
      start(stream)
    } else if stream.request != nil {
      calls.end(id, RPCError(code: .internalError, message: "the request has no message"))
    }
  }

  // MARK: End

  /// Drops what a stream holds of its request, once its call has ended.
  func drop(_ stream: GRPCStream) {
    bytes -= stream.requestBytes
    if frameStreamID == stream.id {
      bytes -= frame.count
      frameStreamID = nil
    }
    stream.reader = GRPCMessageReader(limit: 0)
    stream.message = nil
    stream.request = nil
    stream.untakenFrames = nil
    releaseWindow(of: stream)
  }

  /// Ends the requests that do not arrive.
  func endOverdue() {
    let timeout = TimeAmount(limits.frameTimeout)
    let time = connection.reads.readingTime
    let overdue = streams.ids {
      $0.request != nil && !$0.requestHasEnded && time - $0.opened > timeout
    }
    for id in overdue {
      calls.end(
        id,
        RPCError(
          code: .deadlineExceeded,
          message: "the request was not complete within \(limits.frameTimeout)"))
    }
  }

  // MARK: Windows

  /// Lets the peer send bytes again that a stream has held.
  private func release(_ count: Int, of stream: GRPCStream) {
    stream.heldWindow -= count
    session.consume(count, of: stream.id)
  }

  /// Lets the peer send all bytes again that a stream has held, on other streams.
  private func releaseWindow(of stream: GRPCStream) {
    session.consume(stream.heldWindow)
    stream.heldWindow = 0
  }
}
