internal import NIOCore

/// A handle to a call for the task that makes it.
struct ClientExchange: Sendable {
  /// The queue of unread messages, if the method has a stream of responses.
  let inbound: InboundQueue
  private let shape: CallShape
  private let eventLoop: any EventLoop
  private let promise: EventLoopPromise<ClientCall.Outcome>
  private let call: NIOLoopBoundBox<ClientCall?>

  init(shape: CallShape, budget: InboundBudget, eventLoop: any EventLoop) {
    self.shape = shape
    self.eventLoop = eventLoop
    inbound = InboundQueue(budget: budget)
    promise = eventLoop.makePromise()
    call = .makeEmptyBox(valueType: ClientCall.self, eventLoop: eventLoop)
  }

  /// Creates the call; runs on the event loop.
  func begin(_ context: ClientContext) -> ClientCall {
    let begun = ClientCall(
      shape: shape, waitsForReady: context.waitsForReady,
      inbound: shape.streamsResponses ? inbound : nil, traffic: context.traffic,
      outcome: promise)
    call.value = begun
    return begun
  }

  /// Waits for the end of the call and returns its response.
  ///
  /// Cancelling the task ends the call.
  func outcome() async throws(RPCError) -> [UInt8] {
    let outcome = try? await withTaskCancellationHandler {
      try await promise.futureResult.get()
    } onCancel: {
      abandon(.callerCancelled)
    }
    // The promise never fails: errors are part of the outcome.
    return try (outcome ?? .failure(RPCError(code: .internalError, message: "no outcome"))).get()
  }

  /// Returns the outcome of the call, or nil if it has not ended.
  func knownOutcome() async -> ClientCall.Outcome? {
    try? await eventLoop.submit { call.value?.knownOutcome }.get()
  }

  /// Waits until messages can be written and returns the stream's writer.
  func writer() async throws(RPCError) -> StreamWriter {
    try await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: ClientCall.Opening) in
        eventLoop.execute {
          guard let call = call.value else {
            return continuation.resume(returning: .failure(.ended))
          }
          call.whenOpen(continuation)
        }
      }
    } onCancel: {
      abandon(.callerCancelled)
    }.get()
  }

  /// Runs a closure, and then cancels the call unless the call has ended.
  ///
  /// - Throws: The closure's error. If it is an ``RPCError`` and the call has failed, the status of
  ///   the call instead.
  func cancelledAfterwards<Value>(_ body: () async throws -> Value) async throws -> Value {
    defer { abandon(.callerCancelled) }
    do {
      return try await body()
    } catch let error as RPCError {
      if case .failure(let status)? = await knownOutcome() { throw status }
      throw error
    }
  }

  /// Ends the call if it has not ended, and drops the unread messages.
  func abandon(_ error: RPCError) {
    eventLoop.execute {
      call.value?.abandon(error)
      call.value?.dropUnread()
    }
  }
}

extension RPCError {
  fileprivate static let callerCancelled = RPCError(
    code: .cancelled, message: "the caller was cancelled")
}
