internal import Logging
internal import NIOCore
internal import ProtobufC
internal import TTRPC

/// The handler of a connection that speaks gRPC: each HTTP/2 stream is a call.
///
/// It passes bytes between the channel and the ``HTTP2Session``, whose events go to
/// ``GRPCRequests``. ``CallTable`` runs the calls, and ``GRPCResponses`` has what they send.
final class GRPCConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let connection: ServerConnection
  private let session: HTTP2Session
  private let streams: GRPCStreams
  private let requests: GRPCRequests
  private let responses: GRPCResponses
  /// Received bytes that wait for the connection's turn.
  private var input = ByteBuffer()
  /// A Boolean value that indicates whether the peer has closed its end, and ``endInput()`` has not
  /// run yet.
  private var inputMustEnd = false
  private var boundary = HTTP2FrameBoundary()
  private var controlFrames = GRPCControlFrameLimit()
  private var resets: GRPCResetLimit
  private var worth = GRPCFrameWorth()
  private var context: ChannelHandlerContext?
  /// A Boolean value that indicates whether the connection closes once everything is sent.
  private var isFinishing = false
  private var isReading = false
  private var isFlushing = false
  private var needsFlush = false

  private var calls: CallTable { connection.calls }
  private var reads: ReadScheduler { connection.reads }
  private var limits: ServerLimits { connection.limits }
  private var eventLoop: any EventLoop { connection.eventLoop }

  private init(_ connection: ServerConnection) {
    self.connection = connection
    session = HTTP2Session(connection.limits.http2)
    streams = GRPCStreams()
    responses = GRPCResponses(session, streams)
    requests = GRPCRequests(connection, session, streams, responses)
    resets = connection.limits.resetLimit
  }

  /// Adds the handler of gRPC to a connection's channel.
  static func install(after detector: any ChannelHandler, _ connection: ServerConnection) throws {
    try connection.channel.pipeline.syncOperations.addHandler(
      GRPCConnectionHandler(connection), position: .after(detector))
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    responses.scheduleFlush = { [unowned self] in scheduleFlush() }
    requests.streamRefused = { [unowned self] in countReset() }
    reads.resumed = { [self] in resumed() }
    connection.attach(self)
    // The preface ends with the client's settings.
    connection.activity.frameBegan = reads.readingTime
    scheduleFlush()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    connection.detach()
    // No call is left whose end resumes them.
    for id in streams.ids { dropWaiting(of: id, .ended) }
    streams.removeAll()
    responses.scheduleFlush = {}
    requests.streamRefused = {}
    self.context = nil
  }

  // MARK: Input

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    connection.activity.lastRead = reads.readingTime
    worth.bytesReceived()
    if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
    guard !reads.isPaused else { return }
    turnBegins()
    takeInput()
  }

  private func turnBegins() {
    isReading = true
    requests.turnBegins()
  }

  /// Takes frames that have arrived, up to the connection's read quota.
  private func takeInput() {
    let (count, hasEnded) = unsafe input.withUnsafeReadableBytes { bytes in
      unsafe boundary.read(
        UnsafeRawBufferPointer(rebasing: bytes.prefix(ServerLimits.bytesPerGRPCTurn)),
        frameLimit: ServerLimits.framesPerGRPCCall * reads.quota)
    }
    noteFrames(hasEnded: hasEnded)
    if count > 0, let bytes = input.readSlice(length: count) { session.receive(bytes, self) }
    if input.readableBytes == 0 { input = ByteBuffer() }
    needsFlush = true
  }

  /// Notes the time at which an incomplete frame began.
  private func noteFrames(hasEnded: Bool) {
    let activity = connection.activity
    if !boundary.isInsideUnit {
      connection.activity.frameBegan = nil
    } else if hasEnded || activity.frameBegan == nil {
      connection.activity.frameBegan = activity.lastRead
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if isReading { turnEnds() }
    context.fireChannelReadComplete()
  }

  private func turnEnds() {
    isReading = false
    if needsFlush { flush() }
    reads.countWaste(worth.wastedFrames(total: boundary.frames))
    connection.checkQueuedBytes()
    if input.readableBytes > 0 || requests.isDecoding || reads.isWasteful {
      reads.pause()
    } else {
      reads.pollForNextCall(hasCalls: !calls.isEmpty)
    }
  }

  /// Continues after a pause, in which nothing was read.
  private func resumed() {
    turnBegins()
    if requests.isDecoding {
      requests.decodeMore()
    } else {
      takeInput()
    }
    turnEnds()
    if !reads.isPaused { endInput() }
  }

  // MARK: Output

  private func scheduleFlush() {
    // The responses to one read, or of one event-loop tick, are sent with one system call.
    guard !needsFlush, !isReading, !isFlushing else { return needsFlush = true }
    needsFlush = true
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    eventLoop.execute {
      this.value.flush()
      this.value.reads.pollForNextCall(hasCalls: !this.value.calls.isEmpty)
    }
  }

  /// Writes the session's output, as far as the peer has read.
  private func flush() {
    guard !isFlushing else { return }
    isFlushing = true
    defer { isFlushing = false }
    repeat {
      needsFlush = false
      while canWrite, write() { responses.writeWaiting() }
      responses.resetEndedEarly()
    } while needsFlush && canWrite
    if !isFinishing, session.isFinished { finish() }
    if responses.responseBytes + responses.messageBytes > 0 { connection.checkQueuedBytes() }
  }

  private var canWrite: Bool {
    guard let context else { return false }
    return context.channel.isActive && context.channel.isWritable
  }

  /// Writes the next part of the session's output.
  ///
  /// - Returns: False if there is none.
  private func write() -> Bool {
    let bytes = session.nextOutput(limit: ServerLimits.maximumUnsentBytes, self)
    guard bytes.readableBytes > 0 else { return false }
    context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    return true
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    connection.activity.setUnwritable(!context.channel.isWritable, at: connection.now)
    if context.channel.isWritable { flush() }
    context.fireChannelWritabilityChanged()
  }

  // MARK: Drain and close

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is DrainStarted:
      drain()
    case is DrainEnded:
      // Streams whose requests have not arrived have no call.
      for id in streams.ids { calls.end(id, .draining) }
      close()
    case is BudgetsChanged:
      connection.budgetChanged()
    case ChannelEvent.inputClosed:
      inputMustEnd = true
      if !reads.isPaused { endInput() }
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.detach()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    connection.close("I/O error", metadata: ["error": "\(plainText(of: error))"])
  }

  /// Refuses new streams; the session ends once the open ones have.
  private func drain() {
    session.refuseStreams()
    calls.startDrain()
    scheduleFlush()
  }

  /// Handles the end of the peer's input, once all received frames have been taken: answers the
  /// calls whose requests have arrived, and closes the connection after the last one.
  ///
  /// Without input, no request becomes complete, and no window is opened.
  private func endInput() {
    guard inputMustEnd else { return }
    inputMustEnd = false
    let reason = RPCError(
      code: .cancelled, message: "the client closed the connection within the request")
    for id in streams.ids(where: { !$0.requestHasEnded }) { calls.end(id, reason) }
    session.refuseStreams()
    scheduleFlush()
  }

  /// Closes the connection, whose session has ended, after an error or without one.
  private func finish() {
    if let failure = session.failure {
      return connection.closeAfterViolation(
        "HTTP/2 error", metadata: ["error": "\(failure)"])
    }
    guard let context, context.channel.isActive else { return }
    isFinishing = true
    let channel = context.channel
    // Once the socket has taken everything that was written.
    let written = eventLoop.makePromise(of: Void.self)
    written.futureResult.whenComplete { _ in channel.close(promise: nil) }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    // The time limit applies even if the channel is still writable.
    connection.activity.setUnwritable(at: connection.now)
  }

  /// Closes the connection of a peer that sends too many frames without a call.
  private func refuse(_ excess: GRPCControlFrameLimit.Excess) {
    session.end(.enhanceYourCalm, excess.rawValue)
  }
}

// MARK: - Events

extension GRPCConnectionHandler: HTTP2SessionEvents {
  func headersBegan() { requests.headersBegan() }

  func headerReceived(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    unsafe requests.headerReceived(name: name, value: value)
  }

  func headersEnded(_ streamID: UInt32, isRequest: Bool, endsStream: Bool) {
    if isRequest { worth.requestReceived() }
    requests.headersEnded(streamID, isRequest: isRequest, endsStream: endsStream)
  }

  func dataReceived(_ streamID: UInt32, _ bytes: UnsafeRawBufferPointer, endsStream: Bool) {
    worth.requestReceived()
    unsafe requests.dataReceived(streamID, bytes, endsStream: endsStream)
  }

  func dataEnded(_ streamID: UInt32, isEmpty: Bool, endsStream: Bool) {
    if endsStream {
      requests.ended(streamID)
    } else if isEmpty {
      controlFrameReceived(.emptyData)
    }
  }

  func controlFrameReceived(_ kind: GRPCControlFrameLimit.Kind) {
    if let excess = controlFrames.excess(of: kind, at: connection.now) { refuse(excess) }
  }

  func invalidFrameReceived(_ streamID: UInt32) {
    // The reset of a stream that is open is counted when it is closed.
    if streams[streamID] == nil { countReset() }
  }

  func streamClosed(_ streamID: UInt32, isReset: Bool) {
    guard let stream = streams.remove(streamID) else { return }
    if isReset || !stream.hasEnded { countReset() }
    requests.drop(stream)
    responses.closed(stream)
    let reason = RPCError(code: .cancelled, message: "the client cancelled the call")
    responses.dropWaiting(of: stream, reason)
    if !stream.hasEnded { calls.forget(streamID, reason) }
  }

  private func countReset() {
    reads.countWaste()
    if resets.isExceeded(at: connection.now) { refuse(.resets) }
  }

  func nextData(_ streamID: UInt32, limit: Int) -> HTTP2Session.OutgoingData? {
    responses.nextData(streamID, limit: limit)
  }

  func headersSent() { controlFrames.responseSent() }

  func moveData(_ streamID: UInt32, _ count: Int, to output: inout ByteBuffer) {
    controlFrames.responseSent()
    worth.responseSent(count)
    responses.moveData(streamID, count, to: &output)
  }
}

// MARK: - Output of calls

extension GRPCConnectionHandler: ConnectionOutput {
  var framing: MessageFraming { .grpc }

  func end(_ streamID: UInt32, with response: borrowing Serializer) throws(RPCError) {
    let limit = limits.wire.maximumMessageSize
    guard response.byteCount <= limit else { throw .responseTooLong(limit: limit) }
    if let stream = ending(streamID) { responses.end(stream, with: response) }
  }

  func setResponseMetadata(of streamID: UInt32, initial: Metadata, trailing: Metadata) {
    guard let stream = streams[streamID], !stream.hasEnded else { return }
    stream.metadata = (
      GRPCResponse.headers(of: initial), GRPCResponse.headers(of: trailing)
    )
  }

  func end(_ streamID: UInt32, _ outcome: Result<[UInt8]?, RPCError>, isEarly: Bool) {
    guard let stream = ending(streamID) else { return }
    switch outcome {
    case .success(let response?): responses.end(stream, with: response)
    case .success(nil): responses.end(stream, nil, isEarly: isEarly)
    case .failure(let error): responses.end(stream, error, isEarly: isEarly)
    }
  }

  /// Returns a stream whose call gets its outcome now, and drops what is left of its request.
  private func ending(_ streamID: UInt32) -> GRPCStream? {
    guard let stream = streams[streamID], !stream.hasEnded else { return nil }
    requests.drop(stream)
    return stream
  }

  var unreadResponseBytes: Int {
    guard let context, !context.channel.isWritable else { return responses.responseBytes }
    let written = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    return (written ?? 0) + responses.responseBytes
  }

  var queuedBytes: Int { input.readableBytes + requests.bytes + responses.messageBytes }

  var isIdle: Bool { streams.isEmpty }

  /// Closes the connection of a peer that lets no response pass, and ends the requests that do not
  /// arrive.
  func watchTicked() {
    responses.ticked(at: connection.now)
    if let stalledSince = responses.stalledSince,
      connection.now - stalledSince > TimeAmount(limits.writeTimeout)
    {
      return connection.close("the peer has let no response pass for \(limits.writeTimeout)")
    }
    requests.endOverdue()
  }

  func close() {
    isFinishing = true
    guard let context, context.channel.isActive else { return }
    // The client may send the calls that it makes meanwhile again.
    if session.failure == nil { session.refuseStreams() }
    _ = write()
    context.close(promise: nil)
  }

  // MARK: Stream messages, which wait until the peer has taken earlier ones

  func take(_ frame: ByteBuffer, of streamID: UInt32) -> Result<Void, RPCError>? {
    guard let stream = streams[streamID], !stream.hasEnded, let context, context.channel.isActive
    else { return .failure(.ended) }
    let hasRoom = responses.messageBytes < limits.queuedBytesPerConnection
    return hasRoom && responses.take(frame, of: stream) ? .success(()) : nil
  }

  func takeInTurn(_ frame: ByteBuffer, of streamID: UInt32, _ writer: MessageTaken) {
    if let taken = take(frame, of: streamID) { return writer.resume(returning: taken) }
    guard let stream = streams[streamID] else { return writer.resume(returning: .failure(.ended)) }
    responses.wait(frame, of: stream, writer)
    while responses.messageBytes > limits.queuedBytesPerConnection,
      let greediest = streams.greediest
    {
      calls.endForSlowPeer(greediest)
    }
    // The connection has room again if others have ended.
    responses.writeWaiting(of: streamID)
    connection.checkQueuedBytes()
  }

  func dropWaiting(of streamID: UInt32, _ error: RPCError) {
    if let stream = streams[streamID] { responses.dropWaiting(of: stream, error) }
  }
}
