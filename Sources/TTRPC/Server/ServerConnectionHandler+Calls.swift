internal import NIOConcurrencyHelpers
internal import NIOCore
internal import ProtobufC

/// A call whose stream is open, as its connection keeps it.
struct RunningCall {
  let call: ServerCall
  /// Where its messages wait, when requests are a stream.
  let inbound: InboundQueue?
  var task: Task<Void, Never>?
  /// In place of a task.
  var giveUp: Method.GivingUp?
  var deadline: ContinuousClock.Instant?
  var endsAtDrain = false
  /// The number of an endless call among those of its user.
  var endlessNumber: Int?
}

/// What a connection keeps of a handler until it returns, which may be after its call has ended.
private struct Handling: Sendable {
  var streamID: UInt32
  var shape: CallShape
  var kind: CallKind
  /// The request's frame, which the handler holds.
  var requestBytes: Int
}

extension ServerConnectionHandler: CallKeeper {
  /// What carries out a call, once the interceptors have let it through.
  typealias Work = @Sendable (ServerContext) async throws -> [UInt8]

  func openCall(_ streamID: UInt32, _ frame: Frame) {
    let isPlain = unsafe frame.payload.withUnsafeReadableBytes { bytes in
      unsafe openPlainCall(streamID, bytes)
    }
    if isPlain { return }
    let request: WireRequest
    do {
      request = try frame.payload.message(WireRequest.self)
    } catch {
      return end(
        streamID, streamsResponses: false,
        .failure(
          RPCError(
            code: .invalidArgument, message: "the request's envelope is malformed", cause: error)))
    }
    let entry: MethodTable.Entry?
    let refusal: RPCError?
    do throws(RPCError) {
      entry = try server.methods.method(service: request.service, method: request.method)
      refusal = nil
    } catch {
      entry = nil
      refusal = error
    }
    let size = frame.payload.readableBytes
    let kind = entry.map { CallKind($0.method, hasDeadline: request.timeout != nil) } ?? .bounded
    guard admits(streamID, kind, requestBytes: size) else { return }
    let handling = Handling(
      streamID: streamID, shape: entry?.method.shape ?? .unary, kind: kind, requestBytes: size)
    handlerStarts(kind, requestBytes: size)
    start(handling, request, frame.flags, entry, refusal)
  }

  /// Whether there is capacity for one more call, which then counts; its caller is told where there is none.
  func admits(_ streamID: UInt32, _ kind: CallKind, requestBytes size: Int) -> Bool {
    guard let refusal = refusal(of: kind, requestBytes: size) else { return true }
    waste.count(now: now)
    end(streamID, streamsResponses: false, .failure(refusal))
    return false
  }

  private func refusal(of kind: CallKind, requestBytes size: Int) -> RPCError? {
    // Calls whose callers have cancelled count until their handlers have noticed.
    switch kind {
    case .immediate:
      // Only interceptors that wait can keep these in flight.
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
      guard requestBytes == 0 || requestBytes + size <= limits.queuedBytesPerConnection else {
        return .tooManyCalls
      }
    }
    return server.load.callStarted(kind, admission) ? nil : .tooManyCalls
  }

  func handlerStarts(_ kind: CallKind, requestBytes size: Int) {
    handlersRunning += 1
    if kind == .endless { endlessHandlersRunning += 1 }
    requestBytes += size
  }

  func handlerEnds(_ kind: CallKind, requestBytes size: Int) {
    handlersRunning -= 1
    if kind == .endless { endlessHandlersRunning -= 1 }
    requestBytes -= size
  }

  private func start(
    _ handling: Handling, _ request: WireRequest, _ flags: FrameFlags, _ entry: MethodTable.Entry?,
    _ refusal: RPCError?
  ) {
    guard let callConnection else { return }
    let streamID = handling.streamID
    let call = ServerCall(
      callConnection, streamID: streamID,
      method: entry?.descriptor
        ?? MethodDescriptor(service: request.service, name: request.method),
      isKnown: entry != nil,
      metadata: request.callMetadata)
    let timeout = request.timeout
    let context = ServerContext(call, deadline: timeout.map { call.began + $0 })

    var inbound: InboundQueue?
    if let shape = entry?.method.shape, shape.streamsRequests {
      inbound = openInbound(streamID, request.payload, shape, flags)
    }
    calls[streamID] = RunningCall(call: call, inbound: inbound)
    if handling.kind == .endless { endlessCallStarted(call) }
    if let deadline = context.deadline, deadline > call.began { limit(streamID, to: deadline) }

    let work: Work
    if let refusal {
      work = { _ in throw refusal }
    } else if let timeout, timeout <= .zero {
      work = { _ in throw RPCError.deadlineExceeded }
    } else if let entry {
      work = self.work(of: entry.method, streamID, request.payload, inbound, call)
    } else {
      preconditionFailure("a method is found or refused")
    }
    run(handling, context, work)
  }

  private func openInbound(
    _ streamID: UInt32, _ payload: [UInt8], _ shape: CallShape, _ flags: FrameFlags
  ) -> InboundQueue {
    let inbound = InboundQueue(budget: inboundBudget)
    let opening = state.methodFound(
      streamID, shape: shape, flags: flags, payloadLength: payload.count)
    if opening.hasMessage { inbound.append(payload) }
    if opening.isLast { inbound.finish(.success(())) }
    return inbound
  }

  private func work(
    of method: Method, _ streamID: UInt32, _ payload: [UInt8], _ inbound: InboundQueue?,
    _ traffic: CallTraffic
  ) -> Work {
    lazy var writer = StreamWriter(
      self, streamID: streamID, limit: limits.wire.maximumMessageSize, traffic: traffic,
      eventLoop: eventLoop)
    lazy var requests = inbound ?? InboundQueue(budget: inboundBudget)
    let limit = limits.wire.maximumMessageSize
    switch method.handler {
    case .immediate(let handler):
      traffic.received(payload.count)
      return { context in
        var response: [UInt8] = []
        try unsafe payload.withUnsafeBytes { payload in
          try unsafe handler(payload, context) { response = $0.bytes() }
        }
        return try Self.checked(response, limit, context)
      }
    case .deferred(let handler):
      traffic.received(payload.count)
      return { context in
        let response = try unsafe await Self.answer(payload, context, handler)
        return try Self.checked(response, limit, context)
      }
    case .unary(let handler):
      traffic.received(payload.count)
      return { context in
        try Self.checked(try await handler(payload, context), limit, context)
      }
    case .serverStreaming(let handler):
      traffic.received(payload.count)
      return { [writer] context in
        try await handler(payload, writer, context)
        return []
      }
    case .clientStreaming(let handler):
      return { [requests] context in
        try Self.checked(try await handler(requests, context), limit, context)
      }
    case .bidirectional(let handler):
      return { [requests, writer] context in
        try await handler(requests, writer, context)
        return []
      }
    }
  }

  /// The answer of a deferred call, for a task that waits for it.
  private static func answer(
    _ payload: [UInt8], _ context: ServerContext, _ handler: Method.DeferredHandler
  ) async throws -> [UInt8] {
    let giveUp = NIOLockedValueBox<Method.GivingUp?>(nil)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        do {
          let givingUp = try unsafe payload.withUnsafeBytes { payload in
            try unsafe handler(payload, context) { continuation.resume(with: $0) }
          }
          giveUp.withLockedValue { $0 = givingUp }
          if Task.isCancelled { givingUp() }
        } catch {
          continuation.resume(throwing: error)
        }
      }
    } onCancel: {
      giveUp.withLockedValue { $0 }?()
    }
  }

  /// A response that is within the limit; one above it is refused to its caller alone.
  static func checked(
    _ response: [UInt8], _ limit: Int, _ context: ServerContext
  ) throws(RPCError) -> [UInt8] {
    guard WireResponse.byteCount(ofPayload: response.count) <= limit else {
      throw .responseTooLong(limit: limit)
    }
    context.traffic.sent(response.count)
    return response
  }

  private func run(_ handling: Handling, _ context: ServerContext, _ work: @escaping Work) {
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    let interceptors = server.interceptors
    let task: Task<Void, Never>
    if handling.shape == .unary {
      task = Task.immediate(executorPreference: loop.executor) {
        let outcome = await interceptors.outcome(of: work, context)
        this.value.handlerReturned(handling, outcome)
      }
    } else {
      // On the event loop, a handler that writes without end would keep it from reading.
      task = Task {
        let outcome = await interceptors.outcome(of: work, context)
        this.eventLoop.execute { this.value.handlerReturned(handling, outcome) }
      }
    }
    // The handler may be done already.
    calls[handling.streamID]?.task = task
  }

  private func handlerReturned(_ handling: Handling, _ outcome: Result<[UInt8], RPCError>) {
    handlerEnds(handling.kind, requestBytes: handling.requestBytes)
    server.load.callEnded(handling.kind, admission)
    end(handling.streamID, streamsResponses: handling.shape.streamsResponses, outcome)
  }

  /// Gives a stream its terminal frame, unless it has had one.
  func end(
    _ streamID: UInt32, streamsResponses: Bool, _ outcome: Result<[UInt8], RPCError>
  ) {
    stopCall(streamID, .ended)
    let action = state.callEnded(streamID)
    switch action {
    case .answer, .answerThenClose:
      switch outcome {
      case .success where streamsResponses: writeEndOfStream(streamID)
      case .success(let payload): write(streamID, payload)
      case .failure(let error): write(streamID, error)
      }
    case .drop, .dropThenClose:
      break
    }
    if action == .answerThenClose || action == .dropThenClose { finish() }
  }

  /// Ends a call before its handler is done.
  func endEarly(_ streamID: UInt32, _ reason: RPCError) {
    stopCall(streamID, reason)
    end(streamID, streamsResponses: false, .failure(reason))
  }

  /// Cancels what runs for a stream and forgets it.
  func stopCall(_ streamID: UInt32, _ reason: RPCError) {
    guard let running = calls.removeValue(forKey: streamID) else { return }
    if let number = running.endlessNumber { endlessCallEnded(running.call, number) }
    running.call.end(reason)
    running.task?.cancel()
    running.giveUp?()
    running.inbound?.fail(reason)
    outbound.drop(streamID, reason)
  }

  /// Hands a message to its reader. A reader that is too far behind makes the connection wait for it.
  func deliver(_ payload: ByteBuffer, to streamID: UInt32, isLast: Bool) {
    guard let inbound = calls[streamID]?.inbound else { return }
    // A copy: a slice would keep all that was read with it.
    inbound.append(Array(payload.readableBytesView))
    if isLast { inbound.finish(.success(())) }
    readersAreBehind =
      inbound.bytes > limits.effectiveQueuedBytesPerStream
      || inboundBudget.bytes > limits.queuedBytesPerConnection
  }

  // MARK: CallKeeper

  func endAtDrain(_ streamID: UInt32) {
    guard calls[streamID] != nil else { return }
    calls[streamID]?.endsAtDrain = true
    if state.isDraining { endEarly(streamID, .draining) }
  }

  func setDeadline(of streamID: UInt32, in timeout: Duration) {
    guard calls[streamID] != nil else { return }
    limit(streamID, to: .now + timeout)
  }

  func endDisplaced(_ streamID: UInt32, _ reason: RPCError) {
    endEarly(streamID, reason)
  }
}

extension RunningCall {
  var queuedBytes: Int { inbound?.bytes ?? 0 }
}

extension ServerInterceptorChain {
  /// Carries out a call inside the interceptors.
  fileprivate func outcome(
    of work: (ServerContext) async throws -> [UInt8], _ context: ServerContext
  ) async -> Result<[UInt8], RPCError> {
    do throws(RPCError) {
      return .success(
        try await run(context) { context throws(RPCError) in
          try await context.call.outcome(of: work, context)
        })
    } catch {
      return .failure(error)
    }
  }
}

extension ServerCall {
  /// What a handler's end means for the caller: why the call has ended without it, if it has, else its
  /// answer or its status.
  func outcome(
    of work: (ServerContext) async throws -> [UInt8], _ context: ServerContext
  ) async throws(RPCError) -> [UInt8] {
    do {
      let response = try await work(context)
      if let ending { throw ending }
      return response
    } catch {
      if let ending { throw ending }
      throw RPCError(handlerError: error, logger: context.logger)
    }
  }
}
