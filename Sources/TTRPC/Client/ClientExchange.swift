internal import NIOCore

/// A call that was sent or is about to be, to the task that makes it.
struct ClientExchange: Sendable {
  /// Where responses wait that are a stream.
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

  /// Makes the call, on the event loop.
  func begin(_ context: ClientContext) -> ClientCall {
    let begun = ClientCall(
      shape: shape, waitsForReady: context.waitsForReady,
      inbound: shape.streamsResponses ? inbound : nil, traffic: context.traffic,
      outcome: promise)
    call.value = begun
    return begun
  }

  /// Waits for the end of the call, and ends it when the caller's task is cancelled.
  func outcome() async throws(RPCError) -> [UInt8] {
    let outcome = try? await withTaskCancellationHandler {
      try await promise.futureResult.get()
    } onCancel: {
      abandon(.callerCancelled)
    }
    // The promise is only ever given a result.
    return try (outcome ?? .failure(RPCError(code: .internalError, message: "no outcome"))).get()
  }

  /// How the call has ended, if it has.
  func knownOutcome() async -> ClientCall.Outcome? {
    try? await eventLoop.submit { call.value?.knownOutcome }.get()
  }

  /// Waits until messages can be written.
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

  /// Runs a closure, and ends the call after it unless it has ended.
  ///
  /// - Throws: What the closure throws; where that is that the call has ended, why it has.
  func cancelledAfterwards<Value>(_ body: () async throws -> Value) async throws -> Value {
    defer { abandon(.callerCancelled) }
    do {
      return try await body()
    } catch let error as RPCError {
      if case .failure(let status)? = await knownOutcome() { throw status }
      throw error
    }
  }

  /// Ends the call unless it has ended, and drops what was not read.
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
