internal import Logging
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// The handler of a connection that speaks gRPC: each HTTP/2 stream is a call.
///
/// `NIOHTTP2Handler` in front of it knows the protocol's states and limits, and applies the peer's
/// flow control to the frames that are written here.
final class GRPCConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  /// A stream that is open on this side.
  private struct Stream {
    let head: GRPCRequestHead
    let entry: MethodTable.Entry
    let kind: CallKind
    var reader: GRPCMessageReader
    let opened: NIODeadline
    /// The request, while more of it may arrive; only if requests are no stream.
    var request: [UInt8]?
    /// The size of the request, until its handler has returned.
    var requestBytes = 0
    /// The queue of requests, if they are a stream.
    var inbound: InboundQueue?
    /// The call, once its request has arrived.
    var call: ServerCall?
    var task: Task<Void, Never>?
    var deadline: ContinuousClock.Instant?
    var requestHasEnded = false
    var hasSentHeaders = false
    /// True while a message is written that the peer's flow control holds back.
    var isWriting = false
    /// The messages that wait for it.
    var waiting = CircularBuffer<(frame: ByteBuffer, writer: MessageTaken)>()
    var endsAtDrain = false
    var endlessNumber: Int?
    /// Bytes that have arrived, and that the peer may not send again yet.
    var heldWindow = 0
    /// Bytes that the peer may send again, and has not been told of.
    var unreportedWindow = 0
  }

  private let server: ServerParts
  private let peer: PeerIdentity
  private let logger: Logger
  private let loop: ServerLoop
  /// The handler that the connection began with, which keeps its admission.
  private let origin: ServerConnectionHandler

  private var context: ChannelHandlerContext?
  private var callConnection: CallConnection?
  private var streams: [UInt32: Stream] = [:]
  private var highestStreamID: UInt32 = 0
  private let inboundBudget = InboundBudget()
  private var unreportedWindow = 0
  /// Bytes of requests that handlers hold or that have not arrived completely.
  private var requestBytes = 0
  private var queuedBytesReported = 0
  private var deadlines = DeadlineTimer()
  private var handlersRunning = 0
  private var endlessHandlersRunning = 0
  private var endlessCalls = EndlessCalls()
  /// True once the client's preface has arrived completely, which ends with its settings.
  private var hasPreface = false
  private let opened: NIODeadline
  private var isDraining = false
  private var isReading = false
  private var flushIsNeeded = false
  private var unwritableSince: NIODeadline?
  private var lastActivity: NIODeadline
  private var watch: RepeatedTask?
  private var reserveTimer: Scheduled<Void>?

  private var limits: ServerLimits { server.limits }
  private var eventLoop: any EventLoop { loop.eventLoop }
  private var admission: Admission { origin.admission }

  private init(_ origin: ServerConnectionHandler) {
    self.origin = origin
    server = origin.server
    peer = origin.peer
    logger = origin.logger
    loop = origin.loop
    opened = origin.loop.eventLoop.now
    lastActivity = opened
  }

  // MARK: Installation

  /// The first bytes of a connection that speaks HTTP/2, which no request of HTTP/1.1 has.
  static let preface = Array("PRI * HTTP/2".utf8)

  /// Adds the handlers of HTTP/2 and gRPC to a channel, behind the handler it began with.
  static func install(on channel: any Channel, after origin: ServerConnectionHandler) throws {
    let limits = origin.server.limits
    var connection = NIOHTTP2Handler.ConnectionConfiguration()
    connection.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.callsPerConnection),
      HTTP2Setting(parameter: .initialWindowSize, value: window(of: limits)),
      HTTP2Setting(parameter: .maxHeaderListSize, value: maximumHeaderListSize),
      HTTP2Setting(parameter: .enablePush, value: 0),
    ]
    let pipeline = channel.pipeline.syncOperations
    let http2 = NIOHTTP2Handler(
      mode: .server, connectionConfiguration: connection, streamConfiguration: .init())
    let handler = GRPCConnectionHandler(origin)
    try pipeline.addHandler(http2, position: .after(origin))
    try pipeline.addHandler(handler, position: .after(http2))
  }

  /// The most bytes of all headers of a request.
  private static let maximumHeaderListSize = 16_384

  /// The flow-control window of a stream: what its reader may be behind.
  private static func window(of limits: ServerLimits) -> Int {
    min(limits.effectiveQueuedBytesPerStream, Int(Int32.max))
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    callConnection = CallConnection(
      peer: peer, logger: logger, eventLoop: eventLoop, controller: self)
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    let shortest = min(
      limits.frameTimeout, limits.writeTimeout, limits.idleTimeout ?? limits.frameTimeout)
    let interval = TimeAmount(max(shortest / 4, .milliseconds(10)))
    watch = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      this.value.closeIfStalled()
    }
    if admission.isReserved {
      reserveTimer = eventLoop.scheduleTask(in: TimeAmount(limits.reservedConnectionTimeout)) {
        this.value.close("the time of a reserved connection is over")
      }
    }
    // The window of the connection begins with 65535 bytes, and only this frame changes it.
    let increment = min(limits.queuedBytesPerConnection, Int(Int32.max)) - 65_535
    if increment > 0 {
      write(.init(streamID: .rootStream, payload: .windowUpdate(windowSizeIncrement: increment)))
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    stopTimers()
    self.context = nil
    callConnection = nil
  }

  // MARK: Events of the channel

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    isReading = true
    lastActivity = eventLoop.now
    let id = UInt32(truncatingIfNeeded: Int(frame.streamID))
    switch frame.payload {
    case .headers(let headers):
      if streams[id] == nil {
        if id > highestStreamID { open(id, headers.headers) }
      }
      if headers.endStream { requestEnded(id) }
    case .data(let data):
      received(data, on: id)
      if data.endStream { requestEnded(id) }
    case .rstStream:
      cancelled(id)
    case .settings:
      hasPreface = true
    default:
      break
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    if flushIsNeeded { flush() }
    checkQueuedBytes()
    context.fireChannelReadComplete()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    unwritableSince = context.channel.isWritable ? nil : unwritableSince ?? eventLoop.now
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case let event as StreamClosedEvent where event.reason != nil:
      cancelled(UInt32(truncatingIfNeeded: Int(event.streamID)))
    case is DrainStarted:
      drain()
    case is DrainEnded:
      for id in Array(streams.keys) { endEarly(id, .draining) }
      flush()
      context.close(promise: nil)
    case is BudgetsChanged:
      origin.budgetChanged(
        to: server.budget(peer), calls: handlersRunning - endlessHandlersRunning,
        endlessCalls: endlessHandlersRunning)
      endSurplusOfUser()
    case ChannelEvent.inputClosed:
      // Without input, no window is opened and no call is cancelled.
      for id in Array(streams.keys) { stop(id, Self.disconnected) }
      flush()
      context.close(promise: nil)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    for id in Array(streams.keys) { stop(id, Self.disconnected) }
    stopTimers()
    context.fireChannelInactive()
  }

  private static let disconnected = RPCError(code: .cancelled, message: "the client disconnected")

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // NIOHTTP2Handler has answered an error of a stream with a reset.
    if error is NIOHTTP2Errors.StreamError { return }
    close("HTTP/2 error", error)
  }

  private func close(_ reason: String, _ error: (any Error)? = nil) {
    logger.notice(
      "closing connection: \(reason)", metadata: error.map { ["error": "\($0)"] } ?? [:])
    flush()
    context?.close(promise: nil)
  }

  private func stopTimers() {
    reportQueuedBytes(0)
    watch?.cancel()
    reserveTimer?.cancel()
    deadlines.stop()
  }

  /// Closes a connection that stalls, and ends requests that do not arrive.
  private func closeIfStalled() {
    checkQueuedBytes()
    let now = eventLoop.now
    if let unwritableSince, now - unwritableSince > TimeAmount(limits.writeTimeout) {
      return close("the peer has read nothing for \(limits.writeTimeout)")
    }
    if !hasPreface, now - opened > TimeAmount(limits.frameTimeout) {
      return close("the preface of HTTP/2 was not complete within \(limits.frameTimeout)")
    }
    for (id, stream) in streams
    where stream.call == nil && now - stream.opened > TimeAmount(limits.frameTimeout) {
      end(
        id,
        .failure(
          RPCError(
            code: .deadlineExceeded,
            message: "the request was not complete within \(limits.frameTimeout)")))
    }
    if let idleTimeout = limits.idleTimeout, streams.isEmpty,
      now - lastActivity > TimeAmount(idleTimeout)
    {
      drain()
    }
  }

  /// Reports the bytes that wait on this connection, and closes it at the limit of the server.
  private func checkQueuedBytes() {
    guard let context, context.channel.isActive else { return }
    let total = reportQueuedBytes(inboundBudget.bytes + requestBytes)
    // A connection that holds next to nothing is not the one to close.
    if total > limits.queuedBytes, queuedBytesReported > limits.queuedBytes / limits.connections {
      close("the limit on queued bytes of the server is reached")
    }
  }

  @discardableResult
  private func reportQueuedBytes(_ bytes: Int) -> Int {
    let change = bytes - queuedBytesReported
    queuedBytesReported = bytes
    return server.load.changeQueuedBytes(by: change)
  }

  /// Refuses new streams, and closes the connection once the open ones have ended.
  private func drain() {
    guard !isDraining else { return }
    isDraining = true
    write(
      .init(
        streamID: .rootStream,
        payload: .goAway(
          lastStreamID: HTTP2StreamID(Int(highestStreamID)), errorCode: .noError, opaqueData: nil)))
    for (id, stream) in streams where stream.endsAtDrain { endEarly(id, .draining) }
    closeIfDrained()
  }

  private func closeIfDrained() {
    guard isDraining, streams.isEmpty else { return }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    eventLoop.execute {
      this.value.flush()
      this.value.context?.close(promise: nil)
    }
  }

  // MARK: Requests

  private func open(_ id: UInt32, _ headers: HPACKHeaders) {
    highestStreamID = id
    let head: GRPCRequestHead
    do throws(GRPCRequestHead.Refusal) {
      head = try GRPCRequestHead(headers)
    } catch {
      switch error {
      case .grpc(let description):
        return refuse(id, RPCError(code: description.code, message: description.message))
      case .http(let status, let message):
        write(
          id,
          HPACKHeaders([
            (":status", "\(status)"), ("content-type", "text/plain"), ("grpc-message", message),
          ]), isLast: true)
        return write(.init(streamID: HTTP2StreamID(Int(id)), payload: .rstStream(.noError)))
      }
    }
    let entry: MethodTable.Entry
    do throws(RPCError) {
      entry = try server.methods.method(service: head.service, method: head.method)
    } catch {
      return refuse(id, error)
    }
    let kind = CallKind(entry.method, hasDeadline: head.timeout != nil)
    streams[id] = Stream(
      head: head, entry: entry, kind: kind,
      reader: GRPCMessageReader(limit: limits.wire.maximumMessageSize), opened: eventLoop.now)
    if entry.method.shape.streamsRequests {
      let this = NIOLoopBound(self, eventLoop: eventLoop)
      streams[id]?.inbound = InboundQueue(budget: inboundBudget) { [eventLoop] size in
        eventLoop.execute {
          this.value.reportWindow(size + GRPCMessageReader.prefixLength, of: id)
        }
      }
      start(id, [])
    }
  }

  /// Returns the reason why a call is refused, or counts it.
  private func refusal(of kind: CallKind) -> RPCError? {
    switch kind {
    case .immediate:
      guard handlersRunning < 2 * limits.callsPerConnection else {
        return .tooManyCallsOnConnection
      }
    case .bounded, .endless:
      guard !admission.isReserved else { return .tooManyConnections }
      let hasCapacity =
        kind == .bounded
        ? handlersRunning - endlessHandlersRunning < limits.callsPerConnection
        : endlessHandlersRunning < 2 * limits.endlessCallsPerConnection
      guard hasCapacity else { return .tooManyCallsOnConnection }
    }
    guard server.load.callStarted(kind, admission) else { return .tooManyCalls }
    handlersRunning += 1
    if kind == .endless { endlessHandlersRunning += 1 }
    return nil
  }

  private func handlerEnded(_ kind: CallKind) {
    handlersRunning -= 1
    if kind == .endless { endlessHandlersRunning -= 1 }
    server.load.callEnded(kind, admission)
  }

  /// Answers a stream that becomes no call.
  private func refuse(_ id: UInt32, _ error: RPCError) {
    write(id, GRPCResponse.trailersOnly(error), isLast: true)
    write(.init(streamID: HTTP2StreamID(Int(id)), payload: .rstStream(.noError)))
  }

  private func received(_ data: HTTP2Frame.FramePayload.Data, on id: UInt32) {
    guard case .byteBuffer(let bytes) = data.data else { return }
    let overhead = data.paddingBytes.map { $0 + 1 } ?? 0
    guard var stream = streams[id] else {
      return reportWindow(bytes.readableBytes + overhead)
    }
    streams[id]?.heldWindow += bytes.readableBytes + overhead
    stream.reader.append(bytes)
    requestBytes += bytes.readableBytes
    if overhead > 0 { reportWindow(overhead, of: id) }
    do throws(RPCError) {
      while let message = try stream.reader.next() {
        if let inbound = stream.inbound {
          requestBytes -= message.count + GRPCMessageReader.prefixLength
          inbound.append(message)
        } else {
          guard stream.request == nil else {
            throw RPCError(
              code: .invalidArgument, message: "second message for a method with a single request")
          }
          stream.request = message
          stream.requestBytes = message.count + GRPCMessageReader.prefixLength
          reportWindow(message.count + GRPCMessageReader.prefixLength, of: id)
        }
      }
      update(id, stream)
    } catch {
      update(id, stream)
      endEarly(id, error)
    }
  }

  private func update(_ id: UInt32, _ stream: Stream) {
    streams[id]?.reader = stream.reader
    streams[id]?.request = stream.request
    streams[id]?.requestBytes = stream.requestBytes
  }

  /// The client sends nothing more on a stream.
  private func requestEnded(_ id: UInt32) {
    guard let stream = streams[id], !stream.requestHasEnded else { return }
    streams[id]?.requestHasEnded = true
    if stream.reader.isInsideMessage {
      return endEarly(
        id, RPCError(code: .internalError, message: "the request ended within a message"))
    }
    if let inbound = stream.inbound {
      inbound.finish(.success(()))
    } else if let request = stream.request {
      streams[id]?.request = nil
      start(id, request)
    } else {
      endEarly(id, RPCError(code: .internalError, message: "the request has no message"))
    }
  }

  /// Lets the peer send more bytes on the connection, in steps of half a window.
  private func reportWindow(_ count: Int) {
    unreportedWindow += count
    if unreportedWindow >= limits.queuedBytesPerConnection / 2 {
      write(
        .init(
          streamID: .rootStream, payload: .windowUpdate(windowSizeIncrement: unreportedWindow)))
      unreportedWindow = 0
    }
  }

  /// Lets the peer send more bytes on a stream and on the connection.
  private func reportWindow(_ count: Int, of id: UInt32) {
    // What a stream holds at its end is reported then.
    guard let stream = streams[id] else { return }
    streams[id]?.heldWindow -= count
    reportWindow(count)
    guard !stream.requestHasEnded else { return }
    let unreported = stream.unreportedWindow + count
    guard unreported >= Self.window(of: limits) / 2 else {
      streams[id]?.unreportedWindow = unreported
      return
    }
    streams[id]?.unreportedWindow = 0
    write(
      .init(
        streamID: HTTP2StreamID(Int(id)),
        payload: .windowUpdate(windowSizeIncrement: unreported)))
  }

  // MARK: Calls

  /// Runs the handler of a call inside the interceptors.
  private func start(_ id: UInt32, _ payload: [UInt8]) {
    guard let callConnection, let stream = streams[id] else { return }
    if let refusal = refusal(of: stream.kind) { return endEarly(id, refusal) }
    let call = ServerCall(
      callConnection, streamID: id, method: stream.entry.descriptor,
      metadata: stream.head.metadata)
    let timeout = stream.head.timeout
    let context = ServerContext(call, deadline: timeout.map { call.began + $0 })
    streams[id]?.call = call
    if stream.kind == .endless { endlessCallStarted(id, call) }
    if let deadline = context.deadline { limit(id, to: deadline) }
    let limit = limits.wire.maximumMessageSize
    let work: Work
    if let timeout, timeout <= .zero {
      work = { _ in throw RPCError.deadlineExceeded }
    } else {
      work = stream.entry.method.work(
        payload, requests: stream.inbound, call,
        writer: {
          StreamWriter(
            self, streamID: id, framing: .grpc, limit: limit, traffic: call, eventLoop: eventLoop)
        },
        check: { response, context throws(RPCError) in
          guard response.count <= limit else { throw .responseTooLong(limit: limit) }
          context.traffic.sent(response.count)
          return response
        })
    }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    let interceptors = server.interceptors
    let (kind, shape) = (stream.kind, stream.entry.method.shape)
    let task: Task<Void, Never>
    if shape == .unary {
      task = Task.immediate(executorPreference: loop.executor) {
        let outcome = await interceptors.outcome(of: work, context)
        this.value.handlerReturned(id, kind, outcome)
      }
    } else {
      // On the event loop, a handler that writes without suspending would keep the loop from
      // reading.
      task = Task {
        let outcome = await interceptors.outcome(of: work, context)
        this.eventLoop.execute { this.value.handlerReturned(id, kind, outcome) }
      }
    }
    // The handler may have returned already.
    streams[id]?.task = task
  }

  private func handlerReturned(
    _ id: UInt32, _ kind: CallKind, _ outcome: Result<[UInt8], RPCError>
  ) {
    handlerEnded(kind)
    end(id, outcome)
  }

  /// Ends a call before its handler has returned.
  private func endEarly(_ id: UInt32, _ reason: RPCError) {
    end(id, .failure(reason))
  }

  /// The peer has reset a stream.
  private func cancelled(_ id: UInt32) {
    stop(id, RPCError(code: .cancelled, message: "the client cancelled the call"))
    closeIfDrained()
  }

  /// Forgets a stream, and cancels the work for it.
  @discardableResult
  private func stop(_ id: UInt32, _ reason: RPCError) -> Stream? {
    guard let stream = streams.removeValue(forKey: id) else { return nil }
    requestBytes -= stream.reader.bufferedBytes + stream.requestBytes
    reportWindow(stream.heldWindow)
    if let call = stream.call {
      if let number = stream.endlessNumber {
        endlessCalls.remove(call)
        admission.account.remove(number)
      }
      call.end(reason)
      stream.task?.cancel()
    }
    stream.inbound?.fail(reason)
    for entry in stream.waiting { entry.writer.resume(returning: .failure(reason)) }
    return stream
  }

  /// Gives a stream its last frames, unless it has had them.
  private func end(_ id: UInt32, _ outcome: Result<[UInt8], RPCError>) {
    let reason: RPCError = if case .failure(let error) = outcome { error } else { .ended }
    guard let stream = stop(id, reason) else { return closeIfDrained() }
    defer { closeIfDrained() }
    if stream.isWriting {
      // Trailers would wait behind the message that the peer does not take.
      return write(.init(streamID: HTTP2StreamID(Int(id)), payload: .rstStream(.cancel)))
    }
    switch outcome {
    case .success(let payload):
      if !stream.hasSentHeaders { write(id, GRPCResponse.headers, isLast: false) }
      if !stream.entry.method.shape.streamsResponses {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(GRPCMessageReader.prefixLength + payload.count)
        MessageFraming.grpc.writePrefix(&buffer, payload.count, id)
        buffer.writeBytes(payload)
        write(
          .init(streamID: HTTP2StreamID(Int(id)), payload: .data(.init(data: .byteBuffer(buffer)))))
      }
      write(id, GRPCResponse.success, isLast: true)
    case .failure(let error):
      write(
        id,
        stream.hasSentHeaders ? GRPCResponse.trailers(error) : GRPCResponse.trailersOnly(error),
        isLast: true)
    }
    // The client need not send the rest of its request.
    if !stream.requestHasEnded {
      write(.init(streamID: HTTP2StreamID(Int(id)), payload: .rstStream(.noError)))
    }
  }

  private func endlessCallStarted(_ id: UInt32, _ call: ServerCall) {
    if endlessCalls.count >= limits.endlessCallsPerConnection,
      let oldest = endlessCalls.oldestOfMostFrequent
    {
      endEarly(
        oldest.streamID,
        .displaced(limit: limits.endlessCallsPerConnection, of: "a connection"))
    }
    endlessCalls.append(call)
    streams[id]?.endlessNumber = admission.account.add(call)
    endSurplusOfUser()
  }

  private func endSurplusOfUser() {
    let limit = admission.budget.endlessCalls
    for call in admission.account.removeOldest(above: limit) {
      // It may belong to another connection, on another event loop.
      call.onConnection { controller, streamID in
        controller.endDisplaced(streamID, .displaced(limit: limit, of: "a user"))
      }
    }
  }

  private func limit(_ id: UInt32, to deadline: ContinuousClock.Instant) {
    streams[id]?.deadline = deadline
    guard deadlines.isEarlier(deadline) else { return }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    deadlines.set(to: deadline, on: eventLoop) { this.value.endOverdueCalls() }
  }

  private func endOverdueCalls() {
    deadlines.stop()
    let now = ContinuousClock.now
    for (id, stream) in streams {
      if let deadline = stream.deadline, deadline <= now { endEarly(id, .deadlineExceeded) }
    }
    let next = streams.compactMap { id, stream in stream.deadline.map { (id, $0) } }
      .min { $0.1 < $1.1 }
    if let (id, deadline) = next { limit(id, to: deadline) }
  }

  // MARK: Output

  private func write(_ id: UInt32, _ headers: HPACKHeaders, isLast: Bool) {
    write(
      .init(
        streamID: HTTP2StreamID(Int(id)),
        payload: .headers(.init(headers: headers, endStream: isLast))))
  }

  private func write(_ frame: HTTP2Frame, promise: EventLoopPromise<Void>? = nil) {
    guard let context, context.channel.isActive else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    context.write(wrapOutboundOut(frame), promise: promise)
    scheduleFlush()
  }

  private func scheduleFlush() {
    // The responses of one read, or of one tick of the event loop, leave in one system call.
    if !isReading, !flushIsNeeded {
      let this = NIOLoopBound(self, eventLoop: eventLoop)
      eventLoop.execute { this.value.flush() }
    }
    flushIsNeeded = true
  }

  private func flush() {
    flushIsNeeded = false
    context?.flush()
  }

  /// Writes a message of a stream, and resumes its writer once the peer's flow control has let it
  /// pass.
  private func writeMessage(_ frame: ByteBuffer, _ id: UInt32, _ writer: MessageTaken) {
    if streams[id]?.hasSentHeaders == false {
      streams[id]?.hasSentHeaders = true
      write(id, GRPCResponse.headers, isLast: false)
    }
    streams[id]?.isWriting = true
    let written = eventLoop.makePromise(of: Void.self)
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    written.futureResult.whenComplete { result in
      writer.resume(returning: result.mapError { _ in .ended })
      this.value.messageWritten(id)
    }
    write(
      .init(streamID: HTTP2StreamID(Int(id)), payload: .data(.init(data: .byteBuffer(frame)))),
      promise: written)
  }

  private func messageWritten(_ id: UInt32) {
    streams[id]?.isWriting = false
    guard let next = streams[id]?.waiting.popFirst() else { return }
    writeMessage(next.frame, id, next.writer)
  }
}

extension GRPCConnectionHandler: StreamConnection {
  func take(_ frame: ByteBuffer, of streamID: UInt32) -> Result<Void, RPCError>? {
    // A message is written once the peer's flow control has let it pass, which is known later.
    streams[streamID] == nil ? .failure(.ended) : nil
  }

  func takeInTurn(_ frame: ByteBuffer, of streamID: UInt32, _ writer: MessageTaken) {
    guard let stream = streams[streamID] else {
      return writer.resume(returning: .failure(.ended))
    }
    if stream.isWriting {
      streams[streamID]?.waiting.append((frame, writer))
    } else {
      writeMessage(frame, streamID, writer)
    }
  }

  func dropWaiting(of streamID: UInt32, _ error: RPCError) {
    guard let waiting = streams[streamID]?.waiting else { return }
    streams[streamID]?.waiting.removeAll()
    for entry in waiting { entry.writer.resume(returning: .failure(error)) }
  }
}

extension GRPCConnectionHandler: CallController {
  func endAtDrain(_ streamID: UInt32) {
    guard streams[streamID] != nil else { return }
    streams[streamID]?.endsAtDrain = true
    if isDraining { endEarly(streamID, .draining) }
  }

  func setDeadline(of streamID: UInt32, in timeout: Duration) {
    guard streams[streamID] != nil else { return }
    limit(streamID, to: .now + timeout)
  }

  func endDisplaced(_ streamID: UInt32, _ reason: RPCError) {
    endEarly(streamID, reason)
  }
}
