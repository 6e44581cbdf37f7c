internal import Logging
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import ProtobufC
internal import TTRPC

/// The handler of a connection that speaks gRPC: each HTTP/2 stream is a call.
///
/// `NIOHTTP2Handler` in front of it knows the protocol's states and limits, and applies the peer's
/// flow control to the frames that are written here. ``CallTable`` runs the calls.
final class GRPCConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  private let connection: ServerConnection
  private var context: ChannelHandlerContext?
  private var streams: [UInt32: GRPCStream] = [:]
  private var highestStreamID: UInt32 = 0
  /// Bytes to return to the peer with the connection's next WINDOW_UPDATE frame.
  private var unreportedWindow = 0
  /// Bytes of requests that have not arrived completely.
  private var requestBytes = 0
  /// Bytes of stream messages that wait for the peer's flow control or for the socket.
  private var messageBytes = 0
  private var unsentResponses = GRPCUnsentResponses()
  private var controlFrames = GRPCControlFrameLimit()
  private var isDraining = false
  private var hasSentGoAway = false
  /// A Boolean value that indicates whether the connection closes once everything is sent.
  private var isFinishing = false
  private var isReading = false
  private var needsFlush = false
  /// The time at which the connection began to take frames, which is when their calls begin.
  private var readBegan = ContinuousClock.now

  private var calls: CallTable { connection.calls }
  private var reads: ReadScheduler { connection.reads }
  private var limits: ServerLimits { connection.limits }
  private var eventLoop: any EventLoop { connection.eventLoop }

  private init(_ connection: ServerConnection) {
    self.connection = connection
  }

  // MARK: Installation

  /// Adds the handlers of HTTP/2 and gRPC to a connection's channel.
  static func install(after detector: any ChannelHandler, _ connection: ServerConnection) throws {
    let limits = connection.limits
    // A connection that has more to read lets the others of its event loop go first.
    try connection.channel.syncOptions?.setOption(
      .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: bytesPerRead))
    let http2 = NIOHTTP2Handler(
      mode: .server, connectionConfiguration: .init(limits), streamConfiguration: .init(limits))
    let pipeline = connection.channel.pipeline.syncOperations
    try pipeline.addHandler(http2, position: .after(detector))
    try pipeline.addHandler(GRPCConnectionHandler(connection), position: .after(http2))
  }

  /// The maximum number of bytes that are read from a connection in one event-loop tick, which is
  /// some 20 calls.
  private static let bytesPerRead = 8192

  /// The flow-control window of a stream: what its reader may be behind.
  private static func window(of limits: ServerLimits) -> Int {
    min(limits.effectiveQueuedBytesPerStream, Int(Int32.max))
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    connection.attach(self)
    // The preface ends with the client's settings.
    connection.activity.frameBegan = connection.now
    // The window of the connection begins with 65535 bytes, and only this frame changes it.
    let increment = min(limits.queuedBytesPerConnection, Int(Int32.max)) - 65_535
    if increment > 0 { write(.rootStream, .windowUpdate(windowSizeIncrement: increment)) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    connection.detach()
    streams = [:]
    self.context = nil
  }

  // MARK: Events of the channel

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    if !isReading {
      isReading = true
      readBegan = .now
      connection.activity.lastRead = connection.now
    }
    if let excess = controlFrames.excess(of: frame.payload, at: connection.activity.lastRead) {
      return refuse(excess)
    }
    let id = UInt32(truncatingIfNeeded: Int(frame.streamID))
    switch frame.payload {
    case .headers(let headers):
      // Headers of an open stream are trailers.
      if id > highestStreamID { open(id, headers.headers) }
      if headers.endStream { requestEnded(id) }
    case .data(let data):
      received(data, on: id)
      if data.endStream { requestEnded(id) }
    case .rstStream:
      reads.countWaste()
      cancelled(id)
    case .settings:
      connection.activity.frameBegan = nil
    default:
      break
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    if needsFlush { flush() }
    connection.checkQueuedBytes()
    if reads.isWasteful { reads.pause() } else { pollForNextCall() }
    context.fireChannelReadComplete()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let since = connection.activity.unwritableSince
    connection.activity.unwritableSince = context.channel.isWritable ? nil : since ?? connection.now
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is NIOHTTP2StreamCreatedEvent:
      // Each call has one, so it is the first case, and no later handler needs it.
      break
    case let event as StreamClosedEvent:
      let id = UInt32(truncatingIfNeeded: Int(event.streamID))
      unsentResponses.streamClosed(id)
      if event.reason != nil { cancelled(id) } else { closeIfDrained() }
    case is DrainStarted:
      drain()
    case is DrainEnded:
      // Streams whose requests have not arrived have no call.
      for id in Array(streams.keys) { calls.end(id, .draining) }
      flush()
      context.close(promise: nil)
    case is BudgetsChanged:
      connection.budgetChanged()
    case ChannelEvent.inputClosed:
      // Without input, no window is opened and no call is cancelled.
      flush()
      context.close(promise: nil)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.detach()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A stream that was opened after GOAWAY, which NIOHTTP2Handler has reset, or a frame that could
    // not be written.
    if error is NIOHTTP2Errors.StreamError { return }
    // NIOHTTP2Handler has sent GOAWAY, or a reset if the error is one of a stream.
    hasSentGoAway = true
    connection.close("HTTP/2 error", metadata: ["error": "\(error)"])
  }

  /// Closes the connection of a peer that sends too many frames without a call.
  private func refuse(_ excess: GRPCControlFrameLimit.Excess) {
    writeGoAway(.enhanceYourCalm, excess.rawValue)
    connection.close(excess.rawValue)
  }

  private func writeGoAway(
    _ code: HTTP2ErrorCode, _ reason: String? = nil, promise: EventLoopPromise<Void>? = nil
  ) {
    // Before the write, whose errors close the connection.
    hasSentGoAway = true
    write(
      .rootStream,
      .goAway(
        lastStreamID: HTTP2StreamID(Int(highestStreamID)), errorCode: code,
        opaqueData: reason.map { ByteBuffer(string: $0) }),
      promise: promise)
  }

  /// Refuses new streams, and closes the connection once the open ones have ended.
  private func drain() {
    guard !isDraining else { return }
    isDraining = true
    writeGoAway(.noError)
    calls.startDrain()
    closeIfDrained()
  }

  private func closeIfDrained() {
    guard isDraining, !isFinishing, isIdle else { return }
    isFinishing = true
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    // In the next event-loop tick, because the channel may still be reporting what it has read.
    eventLoop.execute { this.value.finish() }
  }

  /// Closes the connection once the socket has taken everything that was written.
  private func finish() {
    let written = eventLoop.makePromise(of: Void.self)
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    written.futureResult.whenComplete { _ in this.value.context?.close(promise: nil) }
    // A second frame with the same content is permitted, and is the last one.
    writeGoAway(.noError, promise: written)
    flush()
  }

  // MARK: Requests

  private func open(_ id: UInt32, _ headers: HPACKHeaders) {
    highestStreamID = id
    let head: GRPCRequestHead
    do throws(GRPCRequestHead.Refusal) {
      head = try GRPCRequestHead(headers)
    } catch {
      reads.countWaste()
      switch error {
      case .grpc(let description):
        let error = RPCError(code: description.code, message: description.message)
        write(id, GRPCResponse.trailersOnly(error), isLast: true)
      case .http(let status, let message):
        let headers = [
          (":status", "\(status)"), ("content-type", "text/plain"), ("grpc-message", message),
        ]
        write(id, HPACKHeaders(headers), isLast: true)
      }
      return write(HTTP2StreamID(Int(id)), .rstStream(.noError))
    }
    let method = connection.methods.method(service: head.service, method: head.method)
    var request = CallRequest(
      streamID: id, method: method, metadata: head.metadata, timeout: head.timeout,
      began: readBegan, size: 0)
    let streamsRequests = method.descriptor.shape.streamsRequests
    if streamsRequests { request.requests = makeRequestQueue(id) }
    streams[id] = GRPCStream(
      request, streamsRequests: streamsRequests, opened: connection.now,
      reader: GRPCMessageReader(limit: limits.wire.maximumMessageSize, encoding: head.encoding))
    // The call of an unknown method does not wait for the request.
    if streamsRequests || !method.isKnown { start(id) }
  }

  private func makeRequestQueue(_ id: UInt32) -> InboundQueue {
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    return InboundQueue(budget: calls.inboundBudget) { [eventLoop] _ in
      eventLoop.execute { this.value.requestTaken(of: id) }
    }
  }

  private func start(_ id: UInt32) {
    guard let stream = streams[id], var request = stream.request else { return }
    let message = stream.message ?? []
    stream.request = nil
    stream.message = nil
    requestBytes -= message.count
    request.size = message.count
    unsafe message.withUnsafeBytes { unsafe calls.start(request, $0) }
  }

  private func received(_ data: HTTP2Frame.FramePayload.Data, on id: UInt32) {
    guard case .byteBuffer(let bytes) = data.data else { return }
    let padding = data.paddingBytes.map { $0 + 1 } ?? 0
    guard let stream = streams[id] else { return reportWindow(bytes.readableBytes + padding) }
    stream.heldWindow += bytes.readableBytes + padding
    stream.reader.append(bytes)
    requestBytes += bytes.readableBytes
    if padding > 0 { reportWindow(padding, of: id) }
    passRequests(of: id)
  }

  /// Passes on the messages of a stream that have arrived completely, as far as its queue has
  /// capacity.
  ///
  /// The peer's window does not bound the queue: messages may grow when they are decompressed.
  private func passRequests(of id: UInt32) {
    guard let stream = streams[id] else { return }
    let capacity = limits.effectiveQueuedBytesPerStream
    do throws(RPCError) {
      while streams[id] != nil {
        // The rest is passed on when the handler has taken a message.
        if stream.streamsRequests, let requests = calls.requests(of: id),
          requests.bytes >= capacity
        {
          return
        }
        guard let message = try stream.reader.next() else { break }
        try pass(message, of: id, stream)
      }
    } catch {
      return calls.end(id, error)
    }
    if stream.requestHasEnded { endRequests(of: id) }
  }

  private func pass(
    _ message: GRPCMessageReader.Message, of id: UInt32, _ stream: GRPCStream
  ) throws(RPCError) {
    requestBytes -= message.frameLength
    if stream.streamsRequests, let requests = calls.requests(of: id) {
      stream.untakenFrames?.append(message.frameLength)
      return requests.append(message.bytes)
    }
    guard stream.message == nil else {
      throw RPCError(
        code: .invalidArgument, message: "second message for a method with a single request")
    }
    stream.message = message.bytes
    requestBytes += message.bytes.count
    reportWindow(message.frameLength, of: id)
  }

  /// Handles a message that the handler took from a stream's queue.
  private func requestTaken(of id: UInt32) {
    guard let length = streams[id]?.untakenFrames?.popFirst() else { return }
    reportWindow(length, of: id)
    passRequests(of: id)
  }

  /// Handles the end of a client's stream.
  private func requestEnded(_ id: UInt32) {
    guard let stream = streams[id], !stream.requestHasEnded else { return }
    stream.requestHasEnded = true
    passRequests(of: id)
  }

  /// Passes on the end of a stream's requests, after its last message.
  private func endRequests(of id: UInt32) {
    guard let stream = streams[id] else { return }
    if stream.reader.isInsideMessage {
      calls.end(id, RPCError(code: .internalError, message: "the request ended within a message"))
    } else if stream.streamsRequests {
      calls.finishRequests(of: id)
    } else if stream.message != nil {
      start(id)
    } else if stream.request != nil {
      calls.end(id, RPCError(code: .internalError, message: "the request has no message"))
    }
  }

  /// Handles a reset by the peer.
  private func cancelled(_ id: UInt32) {
    calls.forget(id, RPCError(code: .cancelled, message: "the client cancelled the call"))
    remove(id)
    closeIfDrained()
  }

  /// Forgets a stream, and lets the peer send the bytes again that it holds.
  @discardableResult
  private func remove(_ id: UInt32) -> GRPCStream? {
    guard let stream = streams.removeValue(forKey: id) else { return nil }
    requestBytes -= stream.requestBytes
    reportWindow(stream.heldWindow)
    return stream
  }

  /// Lets the peer send more bytes on the connection, in steps of half a window.
  private func reportWindow(_ count: Int) {
    unreportedWindow += count
    if unreportedWindow >= limits.queuedBytesPerConnection / 2 {
      write(.rootStream, .windowUpdate(windowSizeIncrement: unreportedWindow))
      unreportedWindow = 0
    }
  }

  /// Lets the peer send more bytes on a stream and on the connection.
  private func reportWindow(_ count: Int, of id: UInt32) {
    // The bytes that a stream holds at its end are reported then.
    guard let stream = streams[id] else { return }
    stream.heldWindow -= count
    reportWindow(count)
    guard !stream.requestHasEnded else { return }
    let unreported = stream.unreportedWindow + count
    guard unreported >= Self.window(of: limits) / 2 else {
      stream.unreportedWindow = unreported
      return
    }
    stream.unreportedWindow = 0
    write(HTTP2StreamID(Int(id)), .windowUpdate(windowSizeIncrement: unreported))
  }

  // MARK: Output

  private func write(_ id: UInt32, _ headers: HPACKHeaders, isLast: Bool) {
    write(HTTP2StreamID(Int(id)), .headers(.init(headers: headers, endStream: isLast)))
  }

  private func write(
    _ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload, promise: EventLoopPromise<Void>? = nil
  ) {
    guard let context, context.channel.isActive else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    switch payload {
    case .headers, .data: controlFrames.responseWritten()
    default: break
    }
    context.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: promise)
    // The responses to one read, or of one event-loop tick, are sent with one system call.
    if !isReading, !needsFlush {
      let this = NIOLoopBound(self, eventLoop: eventLoop)
      eventLoop.execute {
        this.value.flush()
        this.value.pollForNextCall()
      }
    }
    needsFlush = true
  }

  private func flush() {
    needsFlush = false
    context?.flush()
  }

  private func pollForNextCall() {
    reads.pollForNextCall(hasCalls: !streams.isEmpty)
  }

  /// Writes the trailers of a call, which end its stream.
  private func writeTrailers(_ id: UInt32, _ trailers: HPACKHeaders, _ stream: GRPCStream) {
    guard !stream.requestHasEnded else { return write(id, trailers, isLast: true) }
    // The client need not send the rest of its request. A reset discards the frames that the stream
    // still has to write, so it waits for the trailers.
    let written = eventLoop.makePromise(of: Void.self)
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    written.futureResult.whenSuccess {
      this.value.write(HTTP2StreamID(Int(id)), .rstStream(.noError))
    }
    write(
      HTTP2StreamID(Int(id)), .headers(.init(headers: trailers, endStream: true)),
      promise: written)
  }

  /// Writes a message of a stream.
  private func writeMessage(_ frame: ByteBuffer, _ id: UInt32) {
    let size = frame.readableBytes
    if streams[id]?.hasSentHeaders == false {
      streams[id]?.hasSentHeaders = true
      write(id, GRPCResponse.headers, isLast: false)
    }
    streams[id]?.unsentBytes += size
    messageBytes += size
    let sent = eventLoop.makePromise(of: Void.self)
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    sent.futureResult.whenComplete { _ in
      this.value.messageBytes -= size
      this.value.streams[id]?.unsentBytes -= size
      this.value.writeWaitingMessages(id)
    }
    write(HTTP2StreamID(Int(id)), .data(.init(data: .byteBuffer(frame))), promise: sent)
  }

  private func writeWaitingMessages(_ id: UInt32) {
    while let stream = streams[id], stream.unsentBytes < Self.maxUnsentBytes,
      !stream.waiting.isEmpty
    {
      let next = stream.waiting.removeFirst()
      messageBytes -= next.frame.readableBytes
      writeMessage(next.frame, id)
      next.writer.resume(returning: .success(()))
    }
  }

  /// The number of unsent bytes of a stream from which its writer waits.
  private static let maxUnsentBytes = 65_536
}

extension GRPCConnectionHandler: ConnectionOutput {
  var framing: MessageFraming { .grpc }

  func end(_ streamID: UInt32, with response: borrowing Serializer) throws(RPCError) {
    let size = response.byteCount
    let limit = limits.wire.maximumMessageSize
    guard size <= limit else { throw .responseTooLong(limit: limit) }
    var frame = ByteBuffer()
    frame.reserveCapacity(GRPCMessageReader.prefixLength + size)
    framing.writePrefix(&frame, size, streamID)
    unsafe frame.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
      unsafe response.pack(into: bytes)
      return size
    }
    endStream(streamID, with: frame)
  }

  private func endStream(_ id: UInt32, with frame: ByteBuffer) {
    guard let stream = remove(id) else { return closeIfDrained() }
    unsentResponses.append(frame.readableBytes, of: id)
    write(id, GRPCResponse.headers, isLast: false)
    write(HTTP2StreamID(Int(id)), .data(.init(data: .byteBuffer(frame))))
    writeTrailers(id, GRPCResponse.success, stream)
  }

  func end(_ streamID: UInt32, _ outcome: Result<[UInt8]?, RPCError>, isEarly: Bool) {
    if case .success(let response?) = outcome {
      var frame = ByteBuffer()
      frame.reserveCapacity(GRPCMessageReader.prefixLength + response.count)
      framing.writePrefix(&frame, response.count, streamID)
      frame.writeBytes(response)
      return endStream(streamID, with: frame)
    }
    if isEarly, streams[streamID]?.unsentBytes ?? 0 > 0 { flush() }
    guard let stream = remove(streamID) else { return closeIfDrained() }
    if isEarly, stream.unsentBytes > 0 {
      // Trailers would wait behind a message that the peer does not take.
      write(HTTP2StreamID(Int(streamID)), .rstStream(.cancel))
      return closeIfDrained()
    }
    // The bytes of unsent messages are counted until they are sent.
    if stream.unsentBytes > 0 { unsentResponses.append(0, of: streamID) }
    switch outcome {
    case .success:
      if !stream.hasSentHeaders { write(streamID, GRPCResponse.headers, isLast: false) }
      writeTrailers(streamID, GRPCResponse.success, stream)
    case .failure(let error):
      let trailers =
        stream.hasSentHeaders ? GRPCResponse.trailers(error) : GRPCResponse.trailersOnly(error)
      writeTrailers(streamID, trailers, stream)
    }
    closeIfDrained()
  }

  var unreadResponseBytes: Int {
    guard let context, !context.channel.isWritable else { return unsentResponses.bytes }
    let written = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    return (written ?? 0) + unsentResponses.bytes
  }

  var queuedBytes: Int { requestBytes + messageBytes }

  var isIdle: Bool { streams.isEmpty && unsentResponses.isEmpty }

  /// Closes the connection of a peer that lets no response pass, and ends the requests that do not
  /// arrive.
  func watchTicked() {
    unsentResponses.ticked(at: connection.now)
    if let stalledSince = unsentResponses.stalledSince,
      connection.now - stalledSince > TimeAmount(limits.writeTimeout)
    {
      return connection.close("the peer has let no response pass for \(limits.writeTimeout)")
    }
    let timeout = TimeAmount(limits.frameTimeout)
    for (id, stream) in streams
    where stream.request != nil && connection.now - stream.opened > timeout {
      calls.end(
        id,
        RPCError(
          code: .deadlineExceeded,
          message: "the request was not complete within \(limits.frameTimeout)"))
    }
  }

  func close() {
    // The client may send the calls that it makes meanwhile again.
    if !hasSentGoAway { writeGoAway(.noError) }
    flush()
    context?.close(promise: nil)
  }

  // MARK: Stream messages, which wait until the peer has taken earlier ones

  func take(_ frame: ByteBuffer, of streamID: UInt32) -> Result<Void, RPCError>? {
    guard let stream = streams[streamID] else { return .failure(.ended) }
    guard stream.unsentBytes < Self.maxUnsentBytes, stream.waiting.isEmpty else { return nil }
    writeMessage(frame, streamID)
    return .success(())
  }

  func takeInTurn(_ frame: ByteBuffer, of streamID: UInt32, _ writer: MessageTaken) {
    if let taken = take(frame, of: streamID) { return writer.resume(returning: taken) }
    streams[streamID]?.waiting.append((frame, writer))
    messageBytes += frame.readableBytes
    while messageBytes > limits.queuedBytesPerConnection, let greediest {
      calls.end(greediest, .slowPeer)
    }
    connection.checkQueuedBytes()
  }

  /// The stream with the most bytes of messages whose writers wait.
  private var greediest: UInt32? {
    streams.lazy.filter { !$0.value.waiting.isEmpty }
      .max { $0.value.waitingBytes < $1.value.waitingBytes }?.key
  }

  func dropWaiting(of streamID: UInt32, _ error: RPCError) {
    guard let waiting = streams[streamID]?.waiting, !waiting.isEmpty else { return }
    streams[streamID]?.waiting.removeAll()
    for entry in waiting {
      messageBytes -= entry.frame.readableBytes
      entry.writer.resume(returning: .failure(error))
    }
  }
}
