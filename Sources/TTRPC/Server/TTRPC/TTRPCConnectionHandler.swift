internal import Logging
internal import NIOCore
internal import ProtobufC

/// The handler of a connection that speaks ttrpc: decodes frames into calls, and writes what the
/// calls send.
///
/// ``TTRPCConnectionState`` decides what each frame means, and ``CallTable`` runs the calls.
final class TTRPCConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let connection: ServerConnection
  private(set) var state = TTRPCConnectionState()
  private(set) var decoder: FrameDecoder
  private(set) var output = TTRPCOutput()
  private var context: ChannelHandlerContext?
  private var isReading = false
  private var inputHasClosed = false
  private(set) var isFinishing = false
  /// The time at which the connection began to take frames, which is when their calls begin.
  private var readBegan: NIODeadline

  private var calls: CallTable { connection.calls }
  private var reads: ReadScheduler { connection.reads }
  private var limits: ServerLimits { connection.limits }
  private var eventLoop: any EventLoop { connection.eventLoop }

  init(_ connection: ServerConnection) {
    self.connection = connection
    readBegan = connection.now
    decoder = FrameDecoder(maximumPayload: connection.limits.wire.maximumMessageSize)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    connection.attach(self)
    reads.resumed = { [self] in resumed() }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    connection.detach()
    self.context = nil
  }

  // MARK: Input

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.activity.lastRead = reads.readingTime
    decoder.append(unwrapInboundIn(data))
    if !reads.isPaused { takeFrames() }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    readEnded()
  }

  /// Takes the frames that have arrived, up to the connection's read quota.
  private func takeFrames() {
    isReading = true
    readBegan = connection.now
    var framesLeft = reads.quota
    var readersAreBehind = false
    while framesLeft > 0, !readersAreBehind, !reads.isWasteful, let event = decoder.next() {
      framesLeft -= 1
      connection.activity.frameBegan = nil
      switch event {
      case .frame(let header, let payload):
        readersAreBehind = perform(state.frameReceived(header), header.flags, payload)
      case .oversizeFrame(let header):
        let limit = limits.wire.maximumMessageSize
        readersAreBehind = perform(
          state.oversizeFrameReceived(header, limit: limit), header.flags, ByteBuffer())
      case .foreignBytes:
        return connection.closeAfterViolation("the peer does not speak ttrpc")
      }
    }
    if readersAreBehind {
      reads.pauseForReaders(of: calls)
    } else if decoder.bufferedBytes > 0, framesLeft == 0 || reads.isWasteful {
      reads.pause()
    } else if decoder.isInsideFrame {
      let activity = connection.activity
      connection.activity.frameBegan = activity.frameBegan ?? activity.lastRead
    }
  }

  private func readEnded() {
    isReading = false
    if output.needsFlush { flush() }
    connection.checkQueuedBytes()
    guard state.isFinished else { return reads.pollForNextCall(hasCalls: !calls.isEmpty) }
    // In the next event-loop tick, because the channel is still reporting what it has read.
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    eventLoop.execute { this.value.finish() }
  }

  /// Takes the frames that have arrived before a pause.
  private func resumed() {
    takeFrames()
    readEnded()
    if !reads.isPaused { endInput() }
  }

  /// Handles the end of the peer's input, once all received frames have been processed.
  private func endInput() {
    guard inputHasClosed else { return }
    for streamID in state.inputClosed() {
      calls.end(
        streamID,
        RPCError(
          code: .cancelled, message: "the client stopped sending before its request stream ended"))
    }
    if state.isFinished { finish() }
  }

  /// Performs what a frame requires.
  ///
  /// - Returns: True if a handler is too far behind with its messages.
  private func perform(
    _ action: TTRPCConnectionState.FrameAction, _ flags: FrameFlags, _ payload: ByteBuffer
  ) -> Bool {
    switch action {
    case .openCall(let streamID):
      openCall(streamID, flags, payload)
    case .deliver(let streamID, let isLast):
      // A copy, because a slice would retain the whole read buffer.
      return calls.deliver(Array(payload.readableBytesView), to: streamID, isLast: isLast)
    case .endInput(let streamID):
      calls.finishRequests(of: streamID)
    case .reject(let streamID, let code, let message, let cancel):
      reads.countWaste()
      let error = RPCError(code: code, message: message)
      if cancel { calls.forget(streamID, error) }
      write(streamID, error)
      if state.isFinished { finish() }
    case .ignore:
      break
    }
    return false
  }

  private func openCall(_ streamID: UInt32, _ flags: FrameFlags, _ payload: ByteBuffer) {
    let isStarted = unsafe payload.withUnsafeReadableBytes { bytes in
      unsafe startUnary(streamID, bytes)
    }
    if isStarted { return }
    let request: WireRequest
    do {
      request = try payload.message(WireRequest.self)
    } catch {
      return end(
        streamID,
        .failure(
          RPCError(
            code: .invalidArgument, message: "the request's envelope is malformed", cause: error)),
        isEarly: true)
    }
    let method = connection.methods.method(service: request.service, method: request.method)
    var call = CallRequest(
      streamID: streamID, method: method, metadata: request.callMetadata,
      timeout: request.timeout, began: readBegan, size: payload.readableBytes)
    if method.descriptor.shape.streamsRequests {
      call.requests = openRequests(streamID, request.payload, method.descriptor.shape, flags)
    }
    unsafe request.payload.withUnsafeBytes { unsafe calls.start(call, $0) }
  }

  /// Starts a call of a known unary method without metadata, whose envelope is parsed in place.
  ///
  /// - Returns: False if the request is another one; nothing has happened then.
  private func startUnary(_ streamID: UInt32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let request = unsafe PlainRequest(bytes),
      let method = unsafe connection.methods.registeredMethod(
        service: request.service, method: request.method),
      method.descriptor.shape == .unary
    else { return false }
    unsafe calls.start(
      CallRequest(
        streamID: streamID, method: method, timeout: request.timeout, began: readBegan,
        size: bytes.count),
      request.payload)
    return true
  }

  private func openRequests(
    _ streamID: UInt32, _ payload: [UInt8], _ shape: CallShape, _ flags: FrameFlags
  ) -> InboundQueue {
    let requests = InboundQueue(budget: calls.inboundBudget)
    let opening = state.methodFound(
      streamID, shape: shape, flags: flags, payloadLength: payload.count)
    if opening.hasMessage { requests.append(payload) }
    if opening.isLast { requests.finish(.success(())) }
    return requests
  }

  // MARK: Events of the channel

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    writeWaitingMessages()
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed:
      inputHasClosed = true
      if !reads.isPaused { endInput() }
    case is DrainStarted:
      state.drainStarted()
      calls.startDrain()
      if state.isFinished { finish() }
    case is BudgetsChanged:
      connection.budgetChanged()
    case is DrainEnded:
      calls.endAll(.draining)
      close()
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

  // MARK: Flush and close

  private func write(_ body: (inout ByteBuffer) -> Void) {
    guard let context, context.channel.isActive else { return }
    let isFirst = output.write(body)
    // The responses to one read, or of one event-loop tick, are sent with one system call.
    if isFirst, !isReading { scheduleFlush() }
  }

  private func scheduleFlush() {
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    eventLoop.execute {
      this.value.flush()
      this.value.reads.pollForNextCall(hasCalls: !this.value.calls.isEmpty)
    }
  }

  private func flush() {
    output.flushed()
    guard let context else { return }
    if context.channel.isWritable { send(promise: nil) }
    if context.channel.isWritable {
      writeWaitingMessages()
    } else {
      connection.activity.setUnwritable(at: connection.now)
      connection.checkQueuedBytes()
    }
  }

  private func send(promise: EventLoopPromise<Void>?) {
    context?.writeAndFlush(wrapOutboundOut(output.takeBuffer()), promise: promise)
  }

  /// Closes the connection once all responses have been sent.
  ///
  /// A peer that does not read has ``ServerLimits/writeTimeout`` to do so.
  private func finish() {
    // Frames that have arrived are answered first, and `readEnded()` then calls this again.
    guard !isReading, !reads.isPaused else { return }
    guard let context, context.channel.isActive, !isFinishing else { return }
    isFinishing = true
    let channel = context.channel
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.whenComplete { _ in channel.close(promise: nil) }
    send(promise: written)
    // The time limit applies even if the channel is still writable.
    connection.activity.setUnwritable(at: connection.now)
  }
}

extension TTRPCConnectionHandler: ConnectionOutput {
  var framing: MessageFraming { .ttrpc }

  func end(_ streamID: UInt32, with response: borrowing Serializer) throws(RPCError) {
    let limit = limits.wire.maximumMessageSize
    guard WireResponse.byteCount(ofPayload: response.byteCount) <= limit else {
      throw .responseTooLong(limit: limit)
    }
    write { $0.writeResponse(streamID: streamID, response) }
    if state.callEnded(streamID) == .answerThenClose { finish() }
  }

  func setResponseMetadata(of streamID: UInt32, initial: Metadata, trailing: Metadata) {}

  func end(_ streamID: UInt32, _ outcome: Result<[UInt8]?, RPCError>, isEarly: Bool) {
    let action = state.callEnded(streamID)
    if action == .answer || action == .answerThenClose {
      switch outcome {
      case .success(nil):
        write { $0.writeFrameHeader(.endOfStream(streamID)) }
      case .success(let payload?):
        write { $0.writeResponse(streamID: streamID, payload: payload) }
      case .failure(let error):
        write(streamID, error)
      }
    }
    if action == .answerThenClose || action == .dropThenClose { finish() }
  }

  private func write(_ streamID: UInt32, _ error: RPCError) {
    let limit = limits.wire.maximumMessageSize
    write { buffer in
      if let response = error.encoded, response.count <= limit {
        buffer.writeFrameHeader(
          FrameHeader(
            length: UInt32(response.count), streamID: streamID,
            type: FrameType.response.rawValue, flags: []))
        buffer.writeBytes(response)
        return
      }
      for error in [error, .responseTooLong(limit: limit)] {
        let isWritten = buffer.writeFrame(
          streamID: streamID, type: .response, message: WireResponse(error: error), limit: limit)
        if isWritten { return }
      }
    }
  }

  var unreadResponseBytes: Int {
    // A peer that reads soon empties the buffer of a writable channel.
    guard let context, !context.channel.isWritable else { return 0 }
    let written = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    return (written ?? 0) + output.bufferedBytes
  }

  var queuedBytes: Int { output.waiting.bytes + decoder.memoryBytes }

  var isIdle: Bool { true }

  func watchTicked() {}

  func close() {
    send(promise: nil)
    context?.close(promise: nil)
  }

  // MARK: Stream messages, which wait until the peer has read enough

  func take(_ frame: ByteBuffer, of streamID: UInt32) -> Result<Void, RPCError>? {
    guard state.isRunning(streamID), let context, context.channel.isActive else {
      return .failure(.ended)
    }
    guard context.channel.isWritable, output.hasCapacity, output.waiting.isEmpty else {
      return nil
    }
    write { $0.writeImmutableBuffer(frame) }
    return .success(())
  }

  func takeInTurn(_ frame: ByteBuffer, of streamID: UInt32, _ writer: MessageTaken) {
    if let taken = take(frame, of: streamID) { return writer.resume(returning: taken) }
    output.waiting.append(.init(streamID: streamID, frame: frame, writer: writer))
    if output.waiting.bytes(of: streamID) > limits.effectiveQueuedBytesPerStream {
      calls.endForSlowPeer(streamID)
    }
    while output.waiting.bytes > limits.queuedBytesPerConnection,
      let greediest = output.waiting.greediest
    {
      calls.endForSlowPeer(greediest)
    }
    connection.checkQueuedBytes()
  }

  func dropWaiting(of streamID: UInt32, _ error: RPCError) {
    output.waiting.drop(streamID, error)
  }

  /// Writes the waiting messages, in order, as far as the peer has read.
  private func writeWaitingMessages() {
    guard let context else { return }
    let isWaiting = isFinishing || !context.channel.isWritable
    connection.activity.setUnwritable(isWaiting, at: connection.now)
    if context.channel.isWritable, output.bufferedBytes > 0, !output.needsFlush {
      _ = output.write { _ in }
      if !isReading { scheduleFlush() }
    }
    while context.channel.isWritable, output.hasCapacity, let entry = output.waiting.popFirst() {
      write { $0.writeImmutableBuffer(entry.frame) }
      entry.writer.resume(returning: .success(()))
    }
  }
}
