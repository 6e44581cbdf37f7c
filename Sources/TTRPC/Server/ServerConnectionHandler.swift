internal import Logging
internal import NIOCore
internal import ProtobufC

/// Asks a connection to finish: running calls are answered, new ones refused.
struct DrainStarted: Sendable {}

/// The time for that is over: what still runs is ended.
struct DrainEnded: Sendable {}

/// The policy has changed, and with it perhaps the budget of the connection's user.
struct BudgetsChanged: Sendable {}

/// What all connections of a server share.
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

/// One connection of a server: frames in, calls run, answers out. All of it happens on the
/// connection's event loop; what each frame means is ``ServerConnectionState``'s to say.
///
/// Here are the channel's events; calls, output and time have files of their own.
final class ServerConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  /// Goes on to those who speak HTTP.
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
  /// What they share, while there is a channel.
  var callConnection: CallConnection?
  var deadlines = DeadlineTimer()
  /// Handlers that have not returned, also of calls that have ended without them.
  var handlersRunning = 0
  /// Those of endless calls among them.
  var endlessHandlersRunning = 0
  var endlessCalls = EndlessCalls()
  /// Bytes of the requests that those handlers hold.
  var requestBytes = 0
  let inboundBudget = InboundBudget()
  var outbound = OutboundQueue()
  /// Frames that are to leave with the next flush, or when the peer has read.
  var gathered = ByteBuffer()
  var context: ChannelHandlerContext?
  var isReading = false
  var flushIsNeeded = false
  var isFinishing = false
  var isPaused = false
  /// Whether a handler has more messages to read than a stream, or the connection, may hold.
  var readersAreBehind = false
  /// When streams whose readers stay behind are ended.
  var slowReaderTimer: Scheduled<Void>?
  /// When a connection of the reserve is closed.
  private var reserveTimer: Scheduled<Void>?
  var waste = WasteMeter()
  var wasteEnds: Scheduled<Void>?
  var pollPause = PollPause()
  private var inputHasClosed = false
  /// When the frames that are being taken were looked at: their calls begin then.
  var turnBegan = ContinuousClock.now
  let opened: NIODeadline
  var lastActivity: NIODeadline
  var frameBegan: NIODeadline?
  var unwritableSince: NIODeadline?
  var queuedBytesReported = 0
  var watch: RepeatedTask?
  private var isFirstRead = true

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
    callConnection = CallConnection(peer: peer, logger: logger, eventLoop: eventLoop, keeper: self)
    startWatch(context)
    guard admission.isReserved else { return }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    reserveTimer = eventLoop.scheduleTask(in: TimeAmount(limits.reservedConnectionTime)) {
      this.value.logger.debug("closing: the time of a reserved connection is over")
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
    // It holds its connection, and would keep both.
    callConnection = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    // A drain may have begun before the channel was active.
    if state.isFinished { finish() }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    if isFirstRead {
      isFirstRead = false
      if HTTPConnectionHandler.recognises(bytes), !server.routes.isEmpty {
        becomeHTTP(context, bytes)
        return
      }
    }
    lastActivity = now
    decoder.append(bytes)
    if !isPaused { takeFrames() }
  }

  /// Takes the frames that have arrived, as many as a turn has.
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
        logger.notice("closing: the peer does not speak ttrpc")
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

  /// How many turns a connection has at once while no other waits: a pause costs more than they do.
  private static let turnsWhenAlone = 4

  func channelReadComplete(context: ChannelHandlerContext) {
    turnEnded()
  }

  func turnEnded() {
    isReading = false
    if flushIsNeeded { flush() }
    checkQueuedBytes()
    guard state.isFinished else { return pollForNextCall() }
    // Not now: the channel is in the midst of telling what it has read.
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

  /// The peer sends nothing more, and what it has sent was taken.
  func endInput() {
    guard inputHasClosed else { return }
    for streamID in state.inputClosed() {
      endEarly(streamID, RPCError(code: .cancelled, message: "the caller has left in the middle"))
    }
    if state.isFinished { finish() }
  }

  func channelInactive(context: ChannelHandlerContext) {
    watch?.cancel()
    reserveTimer?.cancel()
    stopWaiting()
    reportQueuedBytes(0)
    let reason = RPCError(code: .cancelled, message: "the caller is gone")
    for streamID in Array(calls.keys) { stopCall(streamID, reason) }
    deadlines.stop()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    logger.notice("closing: the connection failed", metadata: ["error": "\(error)"])
    close()
  }

  /// Holds the connection's user to another budget from now on. Connections and calls stay open, except
  /// endless calls, whose oldest are ended.
  private func budgetChanged(to budget: PeerBudget) {
    let wasGuest = admission.budget.isGuest
    admission.budget = budget
    endSurplusOfUser()
    guard wasGuest != budget.isGuest else { return }
    server.load.guestChanged(
      to: budget.isGuest, connections: admission.isReserved ? 0 : 1,
      calls: handlersRunning - endlessHandlersRunning, endlessCalls: endlessHandlersRunning)
  }

  /// The connection has closed, and counts no more.
  func connectionClosed() {
    server.load.connectionClosed(admission)
  }

  /// Hands the connection over, from its first byte on.
  private func becomeHTTP(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) {
    do {
      try HTTPConnectionHandler.install(
        on: context.channel, after: self, server: server, peer: peer, logger: logger, loop: loop,
        admission: admission)
      context.fireChannelRead(wrapInboundOut(bytes))
      context.fireChannelReadComplete()
      context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    } catch {
      logger.error("closing: HTTP cannot be spoken", metadata: ["error": "\(error)"])
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
