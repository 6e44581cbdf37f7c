internal import CLinux
internal import Logging
internal import NIOCore
internal import ProtobufC

/// Asks a connection to finish: running calls are answered, new ones refused.
struct DrainStarted: Sendable {}

/// One connection of a server: frames in, calls run, answers out. All of it happens on the
/// connection's event loop; what each frame means is ``ServerConnectionState``'s to say.
final class ServerConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private struct RunningCall {
    var task: Task<Void, Never>?
    var deadline: Scheduled<Void>?
    var isCounted = false
  }

  private let methods: MethodTable
  private let limits: ServerLimits
  private let load: ServerLoad
  private let peer: PeerIdentity
  private let logger: Logger
  private let executor: EventLoopTaskExecutor

  private var state: ServerConnectionState
  private var decoder: FrameDecoder
  private var calls: [UInt32: RunningCall] = [:]
  private var context: ChannelHandlerContext?
  private var isReading = false
  private var flushIsNeeded = false
  private var lastActivity = NIODeadline.now()
  private var frameBegan: NIODeadline?
  private var watch: RepeatedTask?

  init(
    methods: MethodTable, limits: ServerLimits, load: ServerLoad, peer: PeerIdentity,
    logger: Logger, eventLoop: any EventLoop
  ) {
    self.methods = methods
    self.limits = limits
    self.load = load
    self.peer = peer
    self.logger = logger
    self.executor = EventLoopTaskExecutor(eventLoop)
    self.state = ServerConnectionState(maximumCalls: limits.callsPerConnection)
    self.decoder = FrameDecoder(maximumPayload: limits.wire.maximumMessageSize)
  }

  // MARK: Events of the channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    startWatch(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReading = true
    let now = NIODeadline.now()
    lastActivity = now
    decoder.append(unwrapInboundIn(data))
    while let event = decoder.next() {
      frameBegan = nil
      switch event {
      case .frame(let frame):
        let header = FrameHeader(
          length: UInt32(frame.payload.readableBytes), streamID: frame.streamID, type: frame.type,
          flags: frame.flags)
        perform(state.frameReceived(header), request: frame.payload)
      case .oversizeFrame(let header):
        let limit = limits.wire.maximumMessageSize
        perform(state.oversizeFrameReceived(header, limit: limit), request: ByteBuffer())
      case .foreignBytes:
        logger.notice("closing: the peer does not speak ttrpc")
        close()
        return
      }
    }
    if decoder.isInsideFrame {
      frameBegan = frameBegan ?? now
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    if flushIsNeeded { flush() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed:
      if state.inputClosed() { close() }
    case is DrainStarted:
      if state.drainStarted() { close() }
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    watch?.cancel()
    for streamID in Array(calls.keys) { stopCall(streamID) }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    logger.notice("closing: the connection failed", metadata: ["error": "\(error)"])
    close()
  }

  // MARK: Calls

  private func perform(_ action: ServerConnectionState.FrameAction, request: ByteBuffer) {
    switch action {
    case .startCall(let streamID):
      do {
        try startCall(streamID, request)
      } catch {
        end(streamID, .failure(error))
      }
    case .reject(let streamID, let code, let message, let cancel):
      if cancel { stopCall(streamID) }
      write(streamID, WireResponse(error: RPCError(code: code, message: message)))
    case .cancelCall(let streamID):
      stopCall(streamID)
    case .ignore:
      break
    }
  }

  private func startCall(_ streamID: UInt32, _ payload: ByteBuffer) throws(RPCError) {
    let request: WireRequest
    do {
      request = try payload.message(WireRequest.self)
    } catch {
      throw RPCError(
        code: .invalidArgument, message: "the request's envelope is malformed", cause: error)
    }
    let method = try methods.method(service: request.service, method: request.method)
    let timeout = request.timeout
    if let timeout, timeout <= .zero { throw .deadlineExceeded }
    guard load.callStarted() else {
      throw RPCError(
        code: .resourceExhausted,
        message: "the server has \(limits.calls) calls in flight, its limit",
        details: [.retryInfo(after: .milliseconds(100))])
    }

    let context = ServerContext(
      peer: peer,
      service: request.service,
      method: request.method,
      metadata: request.callMetadata,
      deadline: timeout.map { .now + $0 },
      connectionLogger: logger)
    calls[streamID] = RunningCall(
      task: nil, deadline: timeout.map { scheduleDeadline(of: streamID, in: $0) }, isCounted: true)

    let this = NIOLoopBound(self, eventLoop: executor.eventLoop)
    let task = Task.immediate(executorPreference: executor) {
      let outcome: Result<[UInt8], any Error>
      do {
        outcome = .success(try await method.answer(request.payload, context))
      } catch {
        outcome = .failure(error)
      }
      this.value.handlerReturned(streamID, outcome, context)
    }
    // The handler may be done already.
    if calls[streamID] != nil { calls[streamID]?.task = task }
  }

  private func handlerReturned(
    _ streamID: UInt32, _ outcome: Result<[UInt8], any Error>, _ context: ServerContext
  ) {
    end(
      streamID,
      outcome.mapError { error in
        switch error {
        case let error as RPCError:
          return error
        case is CancellationError:
          return RPCError(code: .cancelled, message: "the call was cancelled")
        default:
          // Its text may hold anything, so it stays here.
          context.logger.error(
            "a handler failed without a status",
            metadata: ["error": "\(String(reflecting: error))"])
          return RPCError(code: .unknown, message: "the handler failed", cause: error)
        }
      })
  }

  /// Gives a stream its terminal frame, unless it has had one.
  private func end(_ streamID: UInt32, _ outcome: Result<[UInt8], RPCError>) {
    stopCall(streamID)
    let action = state.callEnded(streamID)
    switch action {
    case .answer, .answerThenClose:
      switch outcome {
      case .success(let payload): write(streamID, WireResponse(status: nil, payload: payload))
      case .failure(let error): write(streamID, WireResponse(error: error))
      }
    case .drop, .dropThenClose:
      break
    }
    if action == .answerThenClose || action == .dropThenClose { close() }
  }

  /// Cancels what runs for a stream and forgets it.
  private func stopCall(_ streamID: UInt32) {
    guard let call = calls.removeValue(forKey: streamID) else { return }
    call.deadline?.cancel()
    call.task?.cancel()
    if call.isCounted { load.callEnded() }
  }

  private func scheduleDeadline(of streamID: UInt32, in timeout: Duration) -> Scheduled<Void> {
    // A peer may send any number of nanoseconds; a year is as good as for ever.
    let delay = TimeAmount(min(timeout, .longest))
    let this = NIOLoopBound(self, eventLoop: executor.eventLoop)
    return executor.eventLoop.scheduleTask(in: delay) {
      this.value.end(streamID, .failure(.deadlineExceeded))
    }
  }

  // MARK: Output

  private func write(_ streamID: UInt32, _ response: WireResponse) {
    guard let context, context.channel.isActive else { return }
    let limit = limits.wire.maximumMessageSize
    var buffer = context.channel.allocator.buffer(capacity: 0)
    if !buffer.writeFrame(streamID: streamID, type: .response, message: response, limit: limit) {
      let refusal = WireResponse(
        error: RPCError(
          code: .resourceExhausted, message: "the response exceeds the limit of \(limit) bytes"))
      _ = buffer.writeFrame(streamID: streamID, type: .response, message: refusal, limit: limit)
    }
    context.write(wrapOutboundOut(buffer), promise: nil)

    // Answers of one read, or of one turn of the loop, leave in one system call.
    if !isReading, !flushIsNeeded {
      let this = NIOLoopBound(self, eventLoop: context.eventLoop)
      context.eventLoop.execute { this.value.flush() }
    }
    flushIsNeeded = true
  }

  private func flush() {
    flushIsNeeded = false
    guard let context else { return }
    context.flush()
    guard !context.channel.isWritable else { return }
    let queued = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    if let queued, queued > limits.queuedBytesPerConnection {
      logger.notice("closing: the peer does not read", metadata: ["queued_bytes": "\(queued)"])
      context.close(promise: nil)
    }
  }

  private func close() {
    flushIsNeeded = false
    context?.flush()
    context?.close(promise: nil)
  }

  // MARK: Time

  /// Looks now and then whether the peer has stopped in the middle of a frame, or fallen silent.
  private func startWatch(_ context: ChannelHandlerContext) {
    let shortest = min(limits.frameTime, limits.idleTime ?? limits.frameTime)
    let interval = TimeAmount(max(shortest / 4, .milliseconds(10)))
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    watch = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      this.value.closeIfStalled()
    }
  }

  private func closeIfStalled() {
    let now = NIODeadline.now()
    if let frameBegan, now - frameBegan > TimeAmount(limits.frameTime) {
      logger.notice("closing: a frame was begun and not finished")
      close()
    } else if let idleTime = limits.idleTime, calls.isEmpty,
      now - lastActivity > TimeAmount(idleTime)
    {
      logger.debug("closing: idle")
      close()
    }
  }
}

extension RPCError {
  static let deadlineExceeded = RPCError(
    code: .deadlineExceeded, message: "the call's deadline has passed")
}
