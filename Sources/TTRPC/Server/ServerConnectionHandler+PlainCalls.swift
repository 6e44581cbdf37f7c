internal import NIOCore
internal import ProtobufC

/// Unary calls as nearly all are: of a known method, without metadata, with nothing but brackets around
/// them. They are carried out without what others need: their envelope is read where it lies, and one that
/// is answered from memory has its answer written before the next frame is looked at.
extension ServerConnectionHandler {
  /// Carries out a call, if it is such a one.
  func openPlainCall(_ streamID: UInt32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let request = unsafe PlainRequest(bytes), let callConnection,
      let entry = unsafe server.methods.method(service: request.service, method: request.method),
      let brackets = entry.brackets, entry.descriptor.shape == .unary
    else { return false }
    let size = bytes.count
    let kind = CallKind(entry.method, hasDeadline: request.timeout != nil)
    // What is answered before the next frame is looked at takes no capacity.
    guard kind == .immediate || admits(streamID, kind, requestBytes: size) else { return true }

    let call = ServerCall(
      callConnection, streamID: streamID, method: entry.descriptor, began: turnBegan)
    let timeout = request.timeout
    var context = ServerContext(call, deadline: timeout.map { call.began + $0 })
    unsafe call.received(request.payload.count)
    var plain = PlainCall(
      streamID: streamID, kind: kind, requestBytes: size, brackets: brackets[...])
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
      preconditionFailure("streams are not unary")
    }
    return true
  }

  /// Answers a call from memory.
  private func answer(
    _ plain: PlainCall, _ context: ServerContext, _ payload: UnsafeRawBufferPointer,
    _ handler: Method.ImmediateHandler
  ) {
    let limit = limits.wire.maximumMessageSize
    var failure: RPCError?
    do {
      try unsafe handler(payload, context) { response in
        guard gathered.writeResponse(streamID: plain.streamID, response, limit: limit) else {
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

  /// Has a handler start what answers a call later.
  private func start(
    _ plain: PlainCall, _ context: ServerContext, _ payload: UnsafeRawBufferPointer,
    _ handler: Method.DeferredHandler
  ) {
    callBegan(plain, context)
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    let answers = loop.answers
    do {
      let giveUp = try unsafe handler(payload, context) { outcome in
        answers.append { this.value.deferredAnswerCame(plain, context, outcome) }
      }
      calls[plain.streamID]?.giveUp = giveUp
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

  /// Has a handler answer a call in a task, which begins here and now.
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
    // The handler may be done already.
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
    // Nobody looks any more why it has ended, and nothing runs that could be stopped.
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

/// What a connection keeps of such a call until it is over.
private struct PlainCall: Sendable {
  let streamID: UInt32
  let kind: CallKind
  let requestBytes: Int
  /// Those that have let it through.
  var brackets: ArraySlice<any CallBracket>

  /// Has the brackets begin, the outermost first.
  ///
  /// - Throws: Why one of them refuses the call.
  mutating func begin(_ context: inout ServerContext) throws(RPCError) {
    for index in brackets.indices {
      do throws(RPCError) {
        try brackets[index].callBegan(&context)
      } catch {
        brackets = brackets[..<index]
        throw error
      }
    }
  }

  func end(_ context: ServerContext, _ error: RPCError?) {
    for bracket in brackets.reversed() { bracket.callEnded(context, error) }
  }
}
