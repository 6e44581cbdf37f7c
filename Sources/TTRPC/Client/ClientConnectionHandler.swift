internal import NIOCore
internal import ProtobufC

/// The channel handler of a client's connection: it writes calls and delivers responses.
///
/// It runs on the connection's event loop. ``ClientConnectionState`` interprets the frames.
final class ClientConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let limits: ClientLimits
  var state = ClientConnectionState()
  let inboundBudget: InboundBudget
  var outbound = OutboundQueue()
  var context: ChannelHandlerContext?
  var calls: [UInt32: ClientCall] = [:]
  private var decoder: FrameDecoder
  private var flushIsScheduled = false
  private var failure: String?

  init(limits: ClientLimits, inboundBudget: InboundBudget) {
    self.limits = limits
    self.inboundBudget = inboundBudget
    decoder = FrameDecoder(maximumPayload: limits.wire.maximumMessageSize)
  }

  // MARK: Calls

  /// Sends a call's request.
  ///
  /// Its id is assigned and its frame written in one step, so ids arrive at the server in order.
  ///
  /// - Returns: True if the connection accepted the call. False if it accepts no more calls;
  ///   nothing was sent then.
  func start(_ call: ClientCall, request: WireRequest) -> Bool {
    guard let context, context.channel.isActive,
      let streamID = state.callStarted(call.shape)
    else { return false }
    let limit = limits.wire.maximumMessageSize
    var buffer = context.channel.allocator.buffer(capacity: 0)
    let isWithinLimit = buffer.writeFrame(
      streamID: streamID, type: .request, flags: call.shape.requestFlags, message: request,
      limit: limit)
    guard isWithinLimit else {
      _ = state.callAbandoned(streamID)
      call.finish(
        .failure(
          RPCError(
            code: .resourceExhausted,
            message: "the request exceeds the limit of \(limit) bytes")))
      return true
    }
    calls[streamID] = call
    write(buffer)
    call.started(streamID, writer(of: call, streamID, context.eventLoop))
    return true
  }

  private func writer(
    of call: ClientCall, _ streamID: UInt32, _ eventLoop: any EventLoop
  ) -> StreamWriter? {
    guard call.shape != .unary else { return nil }
    return StreamWriter(
      self, streamID: streamID, limit: limits.wire.maximumMessageSize, traffic: call.traffic,
      eventLoop: eventLoop)
  }

  /// Removes a call that its caller no longer waits for, and cancels it on the server.
  func abandon(_ streamID: UInt32, _ reason: RPCError) {
    calls[streamID] = nil
    outbound.drop(streamID, reason)
    if state.callAbandoned(streamID) { sendCancel(streamID) }
    closeIfFinished()
  }

  /// Makes the connection accept no more calls and close after the last one in flight.
  func retire() {
    state.retire()
    closeIfFinished()
  }

  private func sendCancel(_ streamID: UInt32) {
    guard let context, context.channel.isActive else { return }
    var buffer = context.channel.allocator.buffer(capacity: FrameHeader.byteCount)
    buffer.writeFrameHeader(
      FrameHeader(length: 0, streamID: streamID, type: FrameType.cancel.rawValue, flags: []))
    write(buffer)
  }

  private func perform(_ action: ClientConnectionState.FrameAction, _ payload: ByteBuffer) {
    switch action {
    case .finish(let streamID):
      do {
        finish(streamID, try payload.message(WireResponse.self).outcome)
      } catch {
        let error = RPCError(
          code: .internalError, message: "the response envelope is malformed", cause: error)
        finish(streamID, .failure(error))
      }
    case .deliver(let streamID, let isLast):
      deliver(payload, to: streamID, isLast: isLast)
    case .endStream(let streamID):
      finish(streamID, .success([]))
    case .fail(let streamID, let code, let message, let cancel):
      if cancel { sendCancel(streamID) }
      finish(streamID, .failure(RPCError(code: code, message: message)))
    case .ignore:
      break
    }
    closeIfFinished()
  }

  private func finish(_ streamID: UInt32, _ outcome: ClientCall.Outcome) {
    guard let call = calls.removeValue(forKey: streamID) else { return }
    call.finish(outcome)
    if case .failure(let error) = outcome {
      outbound.drop(streamID, error)
    } else {
      outbound.drop(streamID, .ended)
    }
  }

  /// Passes a message to its reader, and ends calls whose readers are too far behind.
  private func deliver(_ payload: ByteBuffer, to streamID: UInt32, isLast: Bool) {
    guard let call = calls[streamID], let inbound = call.inbound else { return }
    inbound.append(Array(payload.readableBytesView))
    if isLast { return finish(streamID, .success([])) }
    if inbound.bytes > limits.effectiveQueuedBytesPerStream {
      call.abandon(.slowPeer, keepsUnread: true)
    }
    while inboundBudget.bytes > limits.queuedBytesPerConnection,
      let greediest = calls.values.max(by: { $0.queuedBytes < $1.queuedBytes }),
      greediest.queuedBytes > 0
    {
      greediest.abandon(.slowPeer)
    }
  }

  private func closeIfFinished() {
    if state.isFinished { context?.close(promise: nil) }
  }

  func write(_ buffer: ByteBuffer) {
    guard let context else { return }
    context.write(wrapOutboundOut(buffer), promise: nil)
    // All calls of one event-loop tick are sent with one system call.
    guard !flushIsScheduled else { return }
    flushIsScheduled = true
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.eventLoop.execute {
      this.value.flushIsScheduled = false
      this.value.context?.flush()
    }
  }

  // MARK: Channel events

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    decoder.append(unwrapInboundIn(data))
    while let event = decoder.next() {
      switch event {
      case .frame(let header, let payload):
        perform(state.frameReceived(header), payload)
      case .oversizeFrame(let header):
        let limit = limits.wire.maximumMessageSize
        perform(state.oversizeFrameReceived(header, limit: limit), ByteBuffer())
      case .foreignBytes:
        failure = "the server does not speak ttrpc"
        context.close(promise: nil)
      }
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    takeWaitingMessages()
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    let message = failure ?? "the connection closed before the response arrived"
    for streamID in state.connectionClosed() {
      finish(streamID, .failure(RPCError(code: .unavailable, message: message)))
    }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failure = "the connection failed: \(plainText(of: error))"
    context.close(promise: nil)
  }
}

extension ClientConnectionHandler: StreamConnection {
  func take(_ frame: ByteBuffer, of streamID: UInt32) -> Result<Void, RPCError>? {
    guard state.isOpen(streamID), let context, context.channel.isActive else {
      return .failure(.ended)
    }
    guard context.channel.isWritable, outbound.isEmpty else { return nil }
    write(frame)
    return .success(())
  }

  func takeInTurn(_ frame: ByteBuffer, of streamID: UInt32, _ writer: MessageTaken) {
    if let taken = take(frame, of: streamID) { return writer.resume(returning: taken) }
    outbound.append(.init(streamID: streamID, frame: frame, writer: writer))
  }

  func dropWaiting(of streamID: UInt32, _ error: RPCError) {
    outbound.drop(streamID, error)
  }

  private func takeWaitingMessages() {
    guard let context else { return }
    while context.channel.isWritable, let entry = outbound.popFirst() {
      write(entry.frame)
      entry.writer.resume(returning: .success(()))
    }
  }
}

extension ClientCall {
  fileprivate var queuedBytes: Int { inbound?.bytes ?? 0 }
}

extension CallShape {
  /// The flags of the request frame, which tell the server whether messages follow.
  fileprivate var requestFlags: FrameFlags {
    switch self {
    case .unary: []
    case .serverStreaming: .remoteClosed
    case .clientStreaming, .bidirectional: [.remoteOpen, .noData]
    }
  }
}
