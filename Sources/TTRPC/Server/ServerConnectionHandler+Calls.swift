internal import NIOConcurrencyHelpers
internal import NIOCore
internal import ProtobufC

/// A call whose stream is open, as its connection tracks it.
struct RunningCall {
  let call: ServerCall
  /// The queue of the client's messages, if the method has a stream of requests.
  let inbound: InboundQueue?
  var task: Task<Void, Never>?
  /// Cancels a deferred call, which has no task.
  var cancel: Method.Cancellation?
  var deadline: ContinuousClock.Instant?
  var endsAtDrain = false
  /// The number of an endless call in the account of its user.
  var endlessNumber: Int?
}

/// The data about a handler that its connection keeps until the handler returns.
///
/// The handler may return after its call has ended.
private struct Handling: Sendable {
  var streamID: UInt32
  var shape: CallShape
  var kind: CallKind
  /// The size of the request's frame, which the handler holds in memory.
  var requestBytes: Int
}

extension ServerConnectionHandler: CallController {
  func openCall(_ streamID: UInt32, _ frame: Frame) {
    let isOnFastPath = unsafe frame.payload.withUnsafeReadableBytes { bytes in
      unsafe openPlainCall(streamID, bytes)
    }
    if isOnFastPath { return }
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

  /// Counts a call if there is capacity for it; otherwise answers it with an error.
  ///
  /// - Returns: False if there is no capacity.
  func admits(_ streamID: UInt32, _ kind: CallKind, requestBytes size: Int) -> Bool {
    guard let refusal = refusal(of: kind, requestBytes: size) else { return true }
    waste.count(now: now)
    end(streamID, streamsResponses: false, .failure(refusal))
    return false
  }

  private func refusal(of kind: CallKind, requestBytes size: Int) -> RPCError? {
    // Cancelled calls count until their handlers have returned.
    switch kind {
    case .immediate:
      // Only an interceptor that suspends can keep such a call in flight.
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
      preconditionFailure("the method was neither found nor refused")
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
    let limit = limits.wire.maximumMessageSize
    return method.work(
      payload, requests: inbound, traffic,
      writer: {
        StreamWriter(
          self, streamID: streamID, limit: limit, traffic: traffic, eventLoop: eventLoop)
      },
      check: { response, context throws(RPCError) in
        try Self.checked(response, limit, context)
      })
  }

  /// Returns a response after counting it, or throws if it exceeds the size limit.
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
      // On the event loop, a handler that writes without suspending would keep the loop from
      // reading.
      task = Task {
        let outcome = await interceptors.outcome(of: work, context)
        this.eventLoop.execute { this.value.handlerReturned(handling, outcome) }
      }
    }
    // The handler may have returned already.
    calls[handling.streamID]?.task = task
  }

  private func handlerReturned(_ handling: Handling, _ outcome: Result<[UInt8], RPCError>) {
    handlerEnds(handling.kind, requestBytes: handling.requestBytes)
    server.load.callEnded(handling.kind, admission)
    end(handling.streamID, streamsResponses: handling.shape.streamsResponses, outcome)
  }

  /// Sends a stream's terminal frame, unless it was sent before.
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

  /// Ends a call before its handler has returned.
  func endEarly(_ streamID: UInt32, _ reason: RPCError) {
    stopCall(streamID, reason)
    end(streamID, streamsResponses: false, .failure(reason))
  }

  /// Cancels the handler of a stream's call, and forgets the call.
  func stopCall(_ streamID: UInt32, _ reason: RPCError) {
    guard let running = calls.removeValue(forKey: streamID) else { return }
    if let number = running.endlessNumber { endlessCallEnded(running.call, number) }
    running.call.end(reason)
    running.task?.cancel()
    running.cancel?()
    running.inbound?.fail(reason)
    outbound.drop(streamID, reason)
  }

  /// Adds a message to the queue of its reader.
  ///
  /// If the reader is too far behind, the connection waits for it.
  func deliver(_ payload: ByteBuffer, to streamID: UInt32, isLast: Bool) {
    guard let inbound = calls[streamID]?.inbound else { return }
    // A copy, because a slice would retain the whole read buffer.
    inbound.append(Array(payload.readableBytesView))
    if isLast { inbound.finish(.success(())) }
    readersAreBehind =
      inbound.bytes > limits.effectiveQueuedBytesPerStream
      || inboundBudget.bytes > limits.queuedBytesPerConnection
  }

  // MARK: CallController

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
