internal import NIOCore
internal import ProtobufC

/// The fast path for unary calls.
///
/// It takes calls of known methods without metadata, if only call hooks run around them. The
/// request's envelope is decoded in place, and the response of a method that answers from memory is
/// written before the next frame is processed.
extension ServerConnectionHandler {
  /// Executes a call, if it can take the fast path.
  ///
  /// - Returns: False if it cannot; nothing has happened then.
  func openPlainCall(_ streamID: UInt32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let request = unsafe PlainRequest(bytes), let callConnection,
      let entry = unsafe server.methods.method(service: request.service, method: request.method),
      let hooks = entry.hooks, entry.descriptor.shape == .unary
    else { return false }
    let size = bytes.count
    let kind = CallKind(entry.method, hasDeadline: request.timeout != nil)
    // A call that is answered before the next frame is processed takes no capacity.
    guard kind == .immediate || admits(streamID, kind, requestBytes: size) else { return true }

    let call = ServerCall(
      callConnection, streamID: streamID, method: entry.descriptor, began: turnBegan)
    let timeout = request.timeout
    var context = ServerContext(call, deadline: timeout.map { call.began + $0 })
    unsafe call.received(request.payload.count)
    var plain = PlainCall(
      streamID: streamID, kind: kind, requestBytes: size, hooks: hooks[...])
    do throws(RPCError) {
      try plain.begin(&context)
      if let timeout, timeout <= .zero { throw .deadlineExceeded }
    } catch {
      answer(plain, context, .failure(error))
      return true
    }
    switch entry.method.handler {
    case .immediate(let handler):
      unsafe answer(plain, context, request.payload, handler)
    case .deferred(let handler):
      unsafe start(plain, context, request.payload, handler)
    case .unary(let handler):
      start(plain, context, unsafe Array(request.payload), handler)
    case .serverStreaming, .clientStreaming, .bidirectional:
      preconditionFailure("a streaming method is not unary")
    }
    return true
  }

  /// Executes a method that answers from memory.
  private func answer(
    _ plain: PlainCall, _ context: ServerContext, _ payload: UnsafeRawBufferPointer,
    _ handler: Method.ImmediateHandler
  ) {
    let limit = limits.wire.maximumMessageSize
    var failure: RPCError?
    do {
      try unsafe handler(payload, context) { response in
        guard outputBuffer.writeResponse(streamID: plain.streamID, response, limit: limit) else {
          throw RPCError.responseTooLong(limit: limit)
        }
        context.call.sent(response.byteCount)
      }
    } catch {
      failure = RPCError(handlerError: error, logger: context.logger)
    }
    plain.end(context, failure)
    if let failure { write(plain.streamID, failure) }
    scheduleFlush()
    if state.callEnded(plain.streamID) == .answerThenClose { finish() }
  }

  /// Executes a deferred method: its handler returns at once, and its outcome comes later.
  private func start(
    _ plain: PlainCall, _ context: ServerContext, _ payload: UnsafeRawBufferPointer,
    _ handler: Method.DeferredHandler
  ) {
    callBegan(plain, context)
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    let answers = loop.answers
    do {
      let cancel = try unsafe handler(payload, context) { outcome in
        answers.append { this.value.deferredAnswerCame(plain, context, outcome) }
      }
      calls[plain.streamID]?.cancel = cancel
      callRuns(plain, context)
    } catch {
      let error = RPCError(handlerError: error, logger: context.logger)
      plainHandlerReturned(plain, context, .failure(error))
    }
  }

  private func deferredAnswerCame(
    _ plain: PlainCall, _ context: ServerContext, _ outcome: Result<[UInt8], RPCError>
  ) {
    let limit = limits.wire.maximumMessageSize
    plainHandlerReturned(
      plain, context,
      Result { () throws(RPCError) in
        if let ending = context.call.ending { throw ending }
        return try Self.checked(try outcome.get(), limit, context)
      })
  }

  private func callBegan(_ plain: PlainCall, _ context: ServerContext) {
    handlerStarts(plain.kind, requestBytes: plain.requestBytes)
    calls[plain.streamID] = RunningCall(call: context.call, inbound: nil)
  }

  private func callRuns(_ plain: PlainCall, _ context: ServerContext) {
    if let deadline = context.deadline { limit(plain.streamID, to: deadline) }
  }

  /// Executes a handler in a task, which starts immediately on the event loop.
  private func start(
    _ plain: PlainCall, _ context: ServerContext, _ payload: [UInt8],
    _ handler: @escaping @Sendable ([UInt8], ServerContext) async throws -> [UInt8]
  ) {
    callBegan(plain, context)
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    let limit = limits.wire.maximumMessageSize
    let work: Work = { try Self.checked(try await handler(payload, $0), limit, $0) }
    let task = Task.immediate(executorPreference: loop.executor) {
      let outcome = await context.call.result(of: work, context)
      this.value.plainHandlerReturned(plain, context, outcome)
    }
    // The handler may have returned already.
    guard calls[plain.streamID] != nil else { return }
    calls[plain.streamID]?.task = task
    callRuns(plain, context)
  }

  private func plainHandlerReturned(
    _ plain: PlainCall, _ context: ServerContext, _ outcome: Result<[UInt8], RPCError>
  ) {
    handlerEnds(plain.kind, requestBytes: plain.requestBytes)
    answer(plain, context, outcome)
  }

  private func answer(
    _ plain: PlainCall, _ context: ServerContext, _ outcome: Result<[UInt8], RPCError>
  ) {
    plain.end(context, outcome.failure)
    if plain.kind != .immediate { server.load.callEnded(plain.kind, admission) }
    // Removed first: nothing is left that `end` would have to cancel.
    calls.removeValue(forKey: plain.streamID)
    end(plain.streamID, streamsResponses: false, outcome)
  }
}

extension Result<[UInt8], RPCError> {
  fileprivate var failure: RPCError? {
    if case .failure(let error) = self { error } else { nil }
  }
}

extension ServerCall {
  fileprivate func result(
    of work: (ServerContext) async throws -> [UInt8], _ context: ServerContext
  ) async -> Result<[UInt8], RPCError> {
    do throws(RPCError) {
      return .success(try await outcome(of: work, context))
    } catch {
      return .failure(error)
    }
  }
}

/// The data that a connection keeps about a call on the fast path.
private struct PlainCall: Sendable {
  let streamID: UInt32
  let kind: CallKind
  let requestBytes: Int
  /// The hooks around the call; after `begin`, only those that let it pass.
  var hooks: ArraySlice<any CallHook>

  /// Calls the hooks' ``CallHook/callBegan(_:)``, the outermost first.
  ///
  /// - Throws: The status with which a hook refuses the call.
  mutating func begin(_ context: inout ServerContext) throws(RPCError) {
    for index in hooks.indices {
      do throws(RPCError) {
        try hooks[index].callBegan(&context)
      } catch {
        hooks = hooks[..<index]
        throw error
      }
    }
  }

  func end(_ context: ServerContext, _ error: RPCError?) {
    for hook in hooks.reversed() { hook.callEnded(context, error) }
  }
}
