internal import NIOCore
internal import ProtobufC

/// One connection of a client: calls out, answers in. All of it happens on the connection's event
/// loop; what each frame means is ``ClientConnectionState``'s to say.
final class ClientConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let maximumMessageSize: Int
  private var state = ClientConnectionState()
  private var decoder: FrameDecoder
  private var calls: [UInt32: ClientCall] = [:]
  private var context: ChannelHandlerContext?
  private var flushIsScheduled = false
  private var failure: String?

  init(limits: WireLimits) {
    maximumMessageSize = limits.maximumMessageSize
    decoder = FrameDecoder(maximumPayload: limits.maximumMessageSize)
  }

  // MARK: Calls

  /// Sends a call's request. Its id and its frame leave together, so that ids arrive in order.
  ///
  /// - Returns: Whether the connection took it; where not, nothing was sent and it takes no more.
  func start(_ call: ClientCall, request: WireRequest) -> Bool {
    guard let context, context.channel.isActive, let streamID = state.callStarted() else {
      return false
    }
    var buffer = context.channel.allocator.buffer(capacity: 0)
    let isWithinLimit = buffer.writeFrame(
      streamID: streamID, type: .request, message: request, limit: maximumMessageSize)
    guard isWithinLimit else {
      _ = state.callAbandoned(streamID)
      call.finish(
        .failure(
          RPCError(
            code: .resourceExhausted,
            message: "the request exceeds the limit of \(maximumMessageSize) bytes")))
      return true
    }
    calls[streamID] = call
    call.started(streamID)
    write(buffer)
    return true
  }

  /// Forgets a call that nobody waits for, and tells the server.
  func abandon(_ streamID: UInt32) {
    calls[streamID] = nil
    guard state.callAbandoned(streamID), let context, context.channel.isActive else { return }
    var buffer = context.channel.allocator.buffer(capacity: FrameHeader.byteCount)
    buffer.writeFrameHeader(
      FrameHeader(length: 0, streamID: streamID, type: FrameType.cancel.rawValue, flags: []))
    write(buffer)
  }

  private func perform(_ action: ClientConnectionState.FrameAction, response: ByteBuffer) {
    switch action {
    case .finish(let streamID):
      guard let call = calls.removeValue(forKey: streamID) else { return }
      do {
        call.finish(try response.message(WireResponse.self).outcome)
      } catch {
        call.finish(
          .failure(
            RPCError(
              code: .internalError, message: "the answer's envelope is malformed", cause: error)))
      }
    case .fail(let streamID, let code, let message):
      calls.removeValue(forKey: streamID)?.finish(
        .failure(RPCError(code: code, message: message)))
    case .ignore:
      break
    }
    if state.isFinished { context?.close(promise: nil) }
  }

  private func write(_ buffer: ByteBuffer) {
    guard let context else { return }
    context.write(wrapOutboundOut(buffer), promise: nil)
    // Calls of one turn of the loop leave in one system call.
    guard !flushIsScheduled else { return }
    flushIsScheduled = true
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.eventLoop.execute {
      this.value.flushIsScheduled = false
      this.value.context?.flush()
    }
  }

  // MARK: Events of the channel

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
      case .frame(let frame):
        let header = FrameHeader(
          length: UInt32(frame.payload.readableBytes), streamID: frame.streamID, type: frame.type,
          flags: frame.flags)
        perform(state.frameReceived(header), response: frame.payload)
      case .oversizeFrame(let header):
        perform(
          state.oversizeFrameReceived(header, limit: maximumMessageSize), response: ByteBuffer())
      case .foreignBytes:
        failure = "the server does not speak ttrpc"
        context.close(promise: nil)
      }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    let message = failure ?? "the connection closed before the answer came"
    for streamID in state.connectionClosed() {
      calls.removeValue(forKey: streamID)?.finish(
        .failure(RPCError(code: .unavailable, message: message)))
    }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failure = "the connection failed: \(error)"
    context.close(promise: nil)
  }
}
