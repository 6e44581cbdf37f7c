internal import Logging
internal import NIOCore
internal import ProtobufC

/// An event that starts the drain: calls in flight are answered, new ones are refused.
struct DrainStarted: Sendable {}

/// An event that ends the drain: the calls that are still in flight are ended.
struct DrainEnded: Sendable {}

/// An event that reports a change of the policy, and possibly of the budget of the connection's
/// user.
struct BudgetsChanged: Sendable {}

/// The objects that all connections of a server share.
struct ServerParts: Sendable {
  let methods: MethodTable
  let routes: [HTTPRoute]
  let interceptors: ServerInterceptorChain
  let limits: ServerLimits
  let load: ServerLoad
  let budget: @Sendable (PeerIdentity) -> PeerBudget

  init(
    _ services: [any Service], routes: [HTTPRoute], interceptors: [any ServerInterceptor],
    limits: ServerLimits, budget: @escaping @Sendable (PeerIdentity) -> PeerBudget
  ) {
    self.budget = budget
    self.interceptors = ServerInterceptorChain(interceptors)
    methods = MethodTable(services, interceptors: self.interceptors)
    self.routes = routes
    self.limits = limits
    load = ServerLoad(limits)
  }
}

/// Serves one connection: decodes frames, runs calls, and writes responses.
///
/// Everything happens on the connection's event loop. ``ServerConnectionState`` decides what each
/// frame means.
///
/// This file handles the channel's events. Calls, output and time limits have files of their own.
final class ServerConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  /// The bytes of a connection that speaks HTTP, for the HTTP handlers.
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let server: ServerParts
  let peer: PeerIdentity
  let logger: Logger
  let loop: ServerLoop
  private(set) var admission: Admission

  var limits: ServerLimits { server.limits }
  var eventLoop: any EventLoop { loop.eventLoop }
  var turns: TurnQueue { loop.turns }
  var now: NIODeadline { eventLoop.now }

  var state: ServerConnectionState
  var decoder: FrameDecoder
  var calls: [UInt32: RunningCall] = [:]
  /// The state that all calls share; `nil` without a channel.
  var callConnection: CallConnection?
  var deadlines = DeadlineTimer()
  /// The number of handlers that have not returned, including those of calls that were ended early.
  var handlersRunning = 0
  /// The number of those handlers that belong to endless calls.
  var endlessHandlersRunning = 0
  var endlessCalls = EndlessCalls()
  /// The size of the requests that these handlers hold, in bytes.
  var requestBytes = 0
  let inboundBudget = InboundBudget()
  var outbound = OutboundQueue()
  /// Frames to be sent with the next flush, or once the peer has read.
  var outputBuffer = ByteBuffer()
  var context: ChannelHandlerContext?
  var isReading = false
  var flushIsNeeded = false
  var isFinishing = false
  var isPaused = false
  /// True if more messages wait for handlers than a stream or the connection may hold.
  var readersAreBehind = false
  /// The timer that ends the streams of slow readers.
  var slowReaderTimer: Scheduled<Void>?
  /// The timer that closes a reserved connection.
  private var reserveTimer: Scheduled<Void>?
  var waste = WasteMeter()
  var wasteEnds: Scheduled<Void>?
  var pollPause = PollPause()
  private var inputHasClosed = false
  /// The time at which the connection began to take frames, which is when their calls begin.
  var turnBegan = ContinuousClock.now
  let opened: NIODeadline
  var lastActivity: NIODeadline
  var frameBegan: NIODeadline?
  var unwritableSince: NIODeadline?
  var queuedBytesReported = 0
  var watch: RepeatedTask?
  /// The bytes of a connection whose protocol is not known yet; nil once it is.
  private var firstBytes: ByteBuffer? = ByteBuffer()

  init(
    server: ServerParts, peer: PeerIdentity, logger: Logger, loop: ServerLoop, admission: Admission
  ) {
    self.admission = admission
    self.server = server
    self.peer = peer
    self.logger = logger
    self.loop = loop
    self.state = ServerConnectionState()
    self.decoder = FrameDecoder(maximumPayload: server.limits.wire.maximumMessageSize)
    self.opened = loop.eventLoop.now
    self.lastActivity = opened
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    callConnection = CallConnection(
      peer: peer, logger: logger, eventLoop: eventLoop, controller: self)
    startWatch(context)
    guard admission.isReserved else { return }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    reserveTimer = eventLoop.scheduleTask(in: TimeAmount(limits.reservedConnectionTimeout)) {
      this.value.logger.debug("closing connection: the time of a reserved connection is over")
      this.value.close()
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    watch?.cancel()
    reserveTimer?.cancel()
    stopWaiting()
    deadlines.stop()
    reportQueuedBytes(0)
    self.context = nil
    // Breaks a reference cycle: it refers to this handler.
    callConnection = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    // The drain may have started before the channel was active.
    if state.isFinished { finish() }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if var first = firstBytes {
      first.writeBuffer(&bytes)
      // One byte tells HTTP from ttrpc, but HTTP/2 begins like a request of HTTP/1.1.
      if first.readableBytes < GRPCConnectionHandler.preface.count,
        GRPCConnectionHandler.preface.starts(with: first.readableBytesView)
      {
        firstBytes = first
        frameBegan = frameBegan ?? now
        return
      }
      firstBytes = nil
      frameBegan = nil
      bytes = first
      if bytes.readableBytesView.starts(with: GRPCConnectionHandler.preface) {
        handOver(context, bytes) { channel in
          try GRPCConnectionHandler.install(on: channel, after: self)
        }
        return
      }
      if HTTPConnectionHandler.recognizes(bytes), !server.routes.isEmpty {
        handOver(context, bytes) { channel in
          try HTTPConnectionHandler.install(
            on: channel, after: self, server: server, peer: peer, logger: logger, loop: loop,
            admission: admission)
        }
        return
      }
    }
    lastActivity = now
    decoder.append(bytes)
    if !isPaused { takeFrames() }
  }

  /// Takes the frames that have arrived, up to the connection's read quota.
  func takeFrames() {
    isReading = true
    turnBegan = .now
    var framesLeft = limits.framesPerTurn * (turns.isEmpty ? Self.turnsWhenAlone : 1)
    while framesLeft > 0, !readersAreBehind, !waste.isTooMuch(limits, now: now),
      let event = decoder.next()
    {
      framesLeft -= 1
      frameBegan = nil
      switch event {
      case .frame(let frame):
        perform(state.frameReceived(frame.header), frame)
      case .oversizeFrame(let header):
        let frame = Frame(
          streamID: header.streamID, rawType: header.type, flags: header.flags,
          payload: ByteBuffer())
        let limit = limits.wire.maximumMessageSize
        perform(state.oversizeFrameReceived(header, limit: limit), frame)
      case .foreignBytes:
        logger.notice("closing connection: the peer does not speak ttrpc")
        close()
        return
      }
    }
    if readersAreBehind {
      waitForReaders()
    } else if decoder.bufferedBytes > 0, framesLeft == 0 || waste.isTooMuch(limits, now: now) {
      pauseReading()
    } else if decoder.isInsideFrame {
      frameBegan = frameBegan ?? lastActivity
    }
  }

  /// The number of read quotas that a connection has at once if no other waits.
  ///
  /// A pause would cost more than processing these frames.
  private static let turnsWhenAlone = 4

  func channelReadComplete(context: ChannelHandlerContext) {
    turnEnded()
  }

  func turnEnded() {
    isReading = false
    if flushIsNeeded { flush() }
    checkQueuedBytes()
    guard state.isFinished else { return pollForNextCall() }
    // In the next event-loop tick, because the channel is still reporting what it has read.
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    eventLoop.execute { this.value.finish() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    takeWaitingMessages()
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed:
      inputHasClosed = true
      if !isPaused { endInput() }
    case is DrainStarted:
      state.drainStarted()
      for (streamID, call) in calls where call.endsAtDrain { endEarly(streamID, .draining) }
      if state.isFinished { finish() }
    case is BudgetsChanged:
      budgetChanged(to: server.budget(peer))
    case is DrainEnded:
      for streamID in Array(calls.keys) { endEarly(streamID, .draining) }
      close()
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  /// Handles the end of the peer's input, once all received frames have been processed.
  func endInput() {
    guard inputHasClosed else { return }
    for streamID in state.inputClosed() {
      endEarly(
        streamID,
        RPCError(
          code: .cancelled, message: "the client stopped sending before its request stream ended"))
    }
    if state.isFinished { finish() }
  }

  func channelInactive(context: ChannelHandlerContext) {
    watch?.cancel()
    reserveTimer?.cancel()
    stopWaiting()
    reportQueuedBytes(0)
    let reason = RPCError(code: .cancelled, message: "the client disconnected")
    for streamID in Array(calls.keys) { stopCall(streamID, reason) }
    deadlines.stop()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    logger.notice("closing connection: I/O error", metadata: ["error": "\(error)"])
    close()
  }

  /// Replaces the budget of the connection's user.
  ///
  /// The connection and its calls stay open, except that the user's oldest endless calls are ended
  /// if it has more than the new budget permits.
  private func budgetChanged(to budget: PeerBudget) {
    budgetChanged(
      to: budget, calls: handlersRunning - endlessHandlersRunning,
      endlessCalls: endlessHandlersRunning)
    endSurplusOfUser()
  }

  /// Replaces the budget of the connection's user, with so many calls in flight.
  func budgetChanged(to budget: PeerBudget, calls: Int, endlessCalls: Int) {
    let wasGuest = admission.budget.isGuest
    admission.budget = budget
    guard wasGuest != budget.isGuest else { return }
    server.load.guestChanged(
      to: budget.isGuest, connections: admission.isReserved ? 0 : 1, calls: calls,
      endlessCalls: endlessCalls)
  }

  /// Removes the closed connection from the server's counters.
  func connectionClosed() {
    server.load.connectionClosed(admission)
  }

  /// Hands the connection over to the handlers of another protocol, from its first byte on.
  private func handOver(
    _ context: ChannelHandlerContext, _ bytes: ByteBuffer,
    _ install: (any Channel) throws -> Void
  ) {
    do {
      try install(context.channel)
      context.fireChannelRead(wrapInboundOut(bytes))
      context.fireChannelReadComplete()
      context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    } catch {
      logger.error("closing connection: cannot set up HTTP", metadata: ["error": "\(error)"])
      close()
    }
  }

  private func perform(_ action: ServerConnectionState.FrameAction, _ frame: Frame) {
    switch action {
    case .openCall(let streamID):
      openCall(streamID, frame)
    case .deliver(let streamID, let isLast):
      deliver(frame.payload, to: streamID, isLast: isLast)
    case .endInput(let streamID):
      calls[streamID]?.inbound?.finish(.success(()))
    case .reject(let streamID, let code, let message, let cancel):
      waste.count(now: now)
      let error = RPCError(code: code, message: message)
      if cancel { stopCall(streamID, error) }
      write(streamID, error)
      if state.isFinished { finish() }
    case .ignore:
      break
    }
  }
}
