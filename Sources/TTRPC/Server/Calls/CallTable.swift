internal import NIOCore
internal import ProtobufC

/// The calls of a connection: it admits them, runs their handlers, and ends them.
///
/// A call takes these steps with every wire format. A method that answers from memory skips the
/// first and takes no capacity, unless it needs interceptors other than hooks.
///
/// 1. ``start(_:_:)`` admits the call, or answers it with the reason for which it is refused.
/// 2. The call hooks or the interceptors run, and then the handler: synchronously, in a task, or,
///    if it is deferred, until it calls its completion.
/// 3. `handlerReturned` gives the capacity back and sends the outcome.
///
/// In between, ``end(_:_:)`` can end the call early. The caller then gets the reason at once, the
/// handler is cancelled, and its outcome is discarded.
package final class CallTable {
  /// A call whose stream is open.
  private struct Entry {
    let call: ServerCall
    var cancellation: Cancellation?
    var deadline: NIODeadline?
    var endsAtDrain = false
    /// The number of an endless call in the account of its user.
    var endlessNumber: Int?

    /// The queue of the client's messages, if the method has a stream of requests.
    var requests: InboundQueue? { call.request.requests }

    var queuedBytes: Int { requests?.bytes ?? 0 }
  }

  /// The cancellation of a handler.
  private enum Cancellation {
    case task(Task<Void, Never>)
    case function(Method.Cancellation)

    func callAsFunction() {
      switch self {
      case .task(let task): task.cancel()
      case .function(let cancel): cancel()
      }
    }
  }

  fileprivate typealias Outcome = Result<[UInt8], RPCError>

  private let server: ServerParts
  private let loop: ServerLoop
  private let reads: ReadScheduler
  private(set) var admission: Admission
  private var entries = StreamTable<Entry>()
  private var deadlines = DeadlineTimer()
  private var endlessCalls = EndlessCalls()
  /// The number of handlers that have not returned, including those of calls that ended early.
  private(set) var handlersRunning = 0
  /// The number of those handlers that belong to endless calls.
  private var endlessHandlersRunning = 0
  /// The size of the requests that these handlers hold, in bytes.
  private var requestBytes = 0
  private(set) var isDraining = false
  /// The budget of the messages that wait for handlers.
  package let inboundBudget = InboundBudget()

  // Both are `nil` before the wire format is known and after the connection has closed. They refer
  // to this object.
  private var output: (any ConnectionOutput)?
  private var connection: CallConnection?

  private var limits: ServerLimits { server.limits }
  private var eventLoop: any EventLoop { loop.eventLoop }

  init(_ server: ServerParts, _ loop: ServerLoop, _ reads: ReadScheduler, _ admission: Admission) {
    self.server = server
    self.loop = loop
    self.reads = reads
    self.admission = admission
  }

  /// Connects the table to the output of the connection's wire format.
  func attach(_ output: any ConnectionOutput, _ connection: CallConnection) {
    self.output = output
    self.connection = connection
  }

  /// Ends all calls after the connection has closed.
  func detach() {
    let reason = RPCError(code: .cancelled, message: "the client disconnected")
    for streamID in entries.ids { forget(streamID, reason) }
    deadlines.stop()
    output = nil
    connection = nil
  }

  package var isEmpty: Bool { entries.isEmpty }
  /// The number of calls that have not ended.
  var count: Int { entries.count }
  /// The number of endless calls that have not ended.
  var endlessCount: Int { endlessCalls.count }
  /// The number of bytes that requests take, including those of streams.
  var queuedBytes: Int { inboundBudget.bytes + requestBytes }

  // MARK: Start

  /// Starts a call.
  ///
  /// - Parameters:
  ///   - request: The request, without its message.
  ///   - message: The request's message, which is read before this method returns. It is ignored if
  ///     requests are a stream.
  package func start(_ request: CallRequest, _ message: UnsafeRawBufferPointer) {
    guard let connection, let output else { return }
    let hooks = hooks(for: request)
    let call = ServerCall(connection, request)
    var context = ServerContext(call, deadline: request.timeout.map(request.began.advanced(by:)))
    if let hooks, case .immediate(let handler) = request.method.handler {
      return unsafe answer(call, &context, hooks, message, handler, output)
    }
    if let refusal = refusal(of: call.kind, request.size) {
      reads.countWaste()
      return output.end(request.streamID, .failure(refusal), isEarly: true)
    }
    entries[call.streamID] = Entry(call: call)
    if call.kind == .endless { countEndless(call) }
    if request.method.isKnown, request.requests == nil { call.received(message.count) }
    if let hooks {
      do throws(RPCError) {
        try Self.begin(hooks, &context)
      } catch {
        return handlerReturned(call, context, [], .failure(error))
      }
    }
    // The deadline may have passed while the request was arriving.
    let isOverdue =
      context.deadline.map { $0 <= (request.timeout == nil ? request.began : eventLoop.now) }
      ?? false
    if let deadline = context.deadline, !isOverdue { limit(call.streamID, to: deadline) }
    if isOverdue {
      return run(call, context, hooks) { _ in throw RPCError.deadlineExceeded }
    }
    if let hooks, case .deferred(let handler) = request.method.handler {
      return unsafe start(call, context, hooks, message, handler)
    }
    run(call, context, hooks, unsafe work(of: call, message, output))
  }

  /// Returns the call hooks for a call, if no other interceptors have to run around it.
  private func hooks(for request: CallRequest) -> [any CallHook]? {
    request.metadata.isEmpty ? request.method.hooks : nil
  }

  /// Returns the reason for which a call is refused; `nil` if it is admitted and counted.
  private func refusal(of kind: CallKind, _ size: Int) -> RPCError? {
    // Cancelled calls count until their handlers have returned.
    switch kind {
    case .immediate:
      // Only an interceptor that suspends can keep such a call in flight.
      guard handlersRunning - endlessHandlersRunning < 2 * limits.callsPerConnection else {
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
        return .tooManyRequestBytes
      }
    }
    guard server.load.callStarted(kind, admission) else { return .tooManyCalls }
    handlersRunning += 1
    if kind == .endless { endlessHandlersRunning += 1 }
    requestBytes += size
    return nil
  }

  /// Calls the hooks' ``CallHook/callBegan(_:)``, the outermost first.
  ///
  /// - Throws: The status with which a hook refuses the call.
  private static func begin(
    _ hooks: [any CallHook], _ context: inout ServerContext
  ) throws(RPCError) {
    for index in hooks.indices {
      do throws(RPCError) {
        try hooks[index].callBegan(&context)
      } catch {
        end(hooks[..<index], context, error)
        throw error
      }
    }
  }

  /// Calls the hooks' ``CallHook/callEnded(_:_:)``, the innermost first.
  private static func end(
    _ hooks: ArraySlice<any CallHook>, _ context: ServerContext, _ error: RPCError?
  ) {
    for index in hooks.indices.reversed() { hooks[index].callEnded(context, error) }
  }

  // MARK: Execution

  /// Executes a method that answers from memory.
  ///
  /// The call ends before anything else happens, so it takes no capacity.
  private func answer(
    _ call: ServerCall, _ context: inout ServerContext, _ hooks: [any CallHook],
    _ message: UnsafeRawBufferPointer, _ handler: Method.ImmediateHandler,
    _ output: any ConnectionOutput
  ) {
    call.received(message.count)
    do throws(RPCError) {
      try Self.begin(hooks, &context)
    } catch {
      return output.end(call.streamID, .failure(error), isEarly: false)
    }
    var failure: RPCError?
    do {
      if let deadline = context.deadline, deadline <= call.request.began {
        throw RPCError.deadlineExceeded
      }
      try unsafe handler(message, context) { response in
        try output.end(call.streamID, with: response)
        call.sent(response.byteCount)
      }
    } catch {
      failure = RPCError(handlerError: error, logger: context.logger)
    }
    Self.end(hooks[...], context, failure)
    if let failure { output.end(call.streamID, .failure(failure), isEarly: false) }
  }

  /// Executes a deferred method: its handler returns at once, and its outcome comes later.
  private func start(
    _ call: ServerCall, _ context: ServerContext, _ hooks: [any CallHook],
    _ message: UnsafeRawBufferPointer, _ handler: Method.DeferredHandler
  ) {
    let table = NIOLoopBound(self, eventLoop: eventLoop)
    let outcomes = loop.outcomes
    do {
      let cancel = try unsafe handler(message, context) { outcome in
        outcomes.append(DeferredOutcome(table: table, context: context, outcome: outcome))
      }
      entries.update(call.streamID) { $0.cancellation = .function(cancel) }
      // The call may have ended meanwhile, without a cancellation.
      if call.ending != nil { cancel() }
    } catch {
      let error = RPCError(handlerError: error, logger: context.logger)
      handlerReturned(call, context, hooks, .failure(error))
    }
  }

  /// Ends a deferred call with its outcome.
  fileprivate func completed(_ context: ServerContext, _ outcome: Outcome) {
    let call = context.call
    handlerReturned(
      call, context, hooks(for: call.request) ?? [],
      Result { () throws(RPCError) in
        if let ending = call.ending { throw ending }
        // Without an output, the connection has closed, and the call has ended.
        guard let output else { throw .ended }
        return try output.framing.checked(try outcome.get(), limits.wire, call)
      })
  }

  /// Executes a call in a task, inside its hooks or the interceptors.
  private func run(
    _ call: ServerCall, _ context: ServerContext, _ hooks: [any CallHook]?, _ work: @escaping Work
  ) {
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    let interceptors = hooks == nil ? server.interceptors : .none
    let hooks = hooks ?? []
    let task: Task<Void, Never>
    if call.method.shape == .unary {
      // It starts immediately, on the event loop.
      task = Task.immediate(executorPreference: loop.executor) {
        let outcome = await interceptors.outcome(of: work, context)
        this.value.handlerReturned(call, context, hooks, outcome)
      }
    } else {
      // On the event loop, a handler that writes without suspending would keep the loop from
      // reading.
      task = Task {
        let outcome = await interceptors.outcome(of: work, context)
        this.eventLoop.execute { this.value.handlerReturned(call, context, hooks, outcome) }
      }
    }
    // The handler may have returned already, or the call may have ended without a cancellation.
    entries.update(call.streamID) { $0.cancellation = .task(task) }
    if call.ending != nil { task.cancel() }
  }

  private func work(
    of call: ServerCall, _ message: UnsafeRawBufferPointer, _ output: any ConnectionOutput
  ) -> Work {
    let (framing, limits) = (output.framing, limits.wire)
    return call.request.method.handler.work(
      unsafe Array(message), requests: call.request.requests,
      writer: {
        StreamWriter(
          output, streamID: call.streamID, framing: framing, limit: limits.maximumMessageSize,
          traffic: call, eventLoop: eventLoop)
      },
      check: { response throws(RPCError) in try framing.checked(response, limits, call) })
  }

  // MARK: End

  private func handlerReturned(
    _ call: ServerCall, _ context: ServerContext, _ hooks: [any CallHook], _ outcome: Outcome
  ) {
    var error: RPCError?
    if case .failure(let failure) = outcome { error = failure }
    Self.end(hooks[...], context, error)
    release(call)
    let shape = call.method.shape
    if let entry = remove(call.streamID), shape != .unary {
      // The handler may have started tasks that still use the stream.
      call.end(.ended)
      entry.requests?.fail(.ended)
      output?.dropWaiting(of: call.streamID, .ended)
    }
    output?.end(
      call.streamID, outcome.map { shape.streamsResponses ? nil : $0 }, isEarly: false)
  }

  /// Gives back the capacity that a call takes until its handler returns.
  private func release(_ call: ServerCall) {
    handlersRunning -= 1
    if call.kind == .endless { endlessHandlersRunning -= 1 }
    requestBytes -= call.request.size
    server.load.callEnded(call.kind, admission)
  }

  /// Ends a call before its handler has returned: cancels the handler, and sends the reason.
  package func end(_ streamID: UInt32, _ reason: RPCError) {
    forget(streamID, reason)
    output?.end(streamID, .failure(reason), isEarly: true)
  }

  /// Cancels the handler of a call, and forgets the call without an answer.
  package func forget(_ streamID: UInt32, _ reason: RPCError) {
    guard let entry = remove(streamID) else { return }
    entry.call.end(reason)
    entry.cancellation?()
    entry.requests?.fail(reason)
    output?.dropWaiting(of: streamID, reason)
  }

  private func remove(_ streamID: UInt32) -> Entry? {
    guard let entry = entries.removeValue(for: streamID) else { return nil }
    if let number = entry.endlessNumber {
      endlessCalls.remove(entry.call)
      admission.account.remove(number)
    }
    return entry
  }

  /// Starts the drain: ends the calls that do not end by themselves.
  package func startDrain() {
    isDraining = true
    for streamID in entries.ids(where: \.endsAtDrain) { endForDrain(streamID) }
  }

  /// Ends a call with UNAVAILABLE after its messages, so that the client continues elsewhere.
  private func endForDrain(_ streamID: UInt32) {
    forget(streamID, .draining)
    output?.end(streamID, .failure(.draining), isEarly: false)
  }

  /// Ends all calls.
  package func endAll(_ reason: RPCError) {
    for streamID in entries.ids { end(streamID, reason) }
  }

  // MARK: Deadlines

  private func limit(_ streamID: UInt32, to deadline: NIODeadline) {
    entries.update(streamID) { $0.deadline = min($0.deadline ?? deadline, deadline) }
    guard deadlines.isEarlier(deadline) else { return }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    deadlines.set(to: deadline, on: eventLoop) { this.value.endOverdueCalls() }
  }

  private func endOverdueCalls() {
    deadlines.stop()
    let now = eventLoop.now
    for streamID in entries.ids(where: { $0.deadline.map { $0 <= now } ?? false }) {
      end(streamID, .deadlineExceeded)
    }
    var next: (streamID: UInt32, deadline: NIODeadline)?
    entries.forEach { streamID, entry in
      guard let deadline = entry.deadline, next.map({ deadline < $0.deadline }) ?? true else {
        return
      }
      next = (streamID, deadline)
    }
    if let next { limit(next.streamID, to: next.deadline) }
  }

  // MARK: Slow peers

  /// Ends a call whose messages the peer does not take.
  package func endForSlowPeer(_ streamID: UInt32) {
    // A peer that opens such calls continuously is read more slowly.
    reads.countWaste()
    end(streamID, .slowPeer)
  }

  // MARK: Endless calls

  /// Counts an endless call, and ends older ones if the connection or its user has too many.
  ///
  /// The caller of an old call may be gone without the server having been told.
  private func countEndless(_ call: ServerCall) {
    if endlessCalls.count >= limits.endlessCallsPerConnection,
      let oldest = endlessCalls.oldestOfMostFrequent
    {
      // A peer that does this continuously is read more slowly.
      reads.countWaste()
      end(
        oldest.streamID,
        .displaced(limit: limits.endlessCallsPerConnection, of: "a connection"))
    }
    endlessCalls.append(call)
    let number = admission.account.add(call)
    entries.update(call.streamID) { $0.endlessNumber = number }
    if endSurplusOfUser() { reads.countWaste() }
  }

  /// Ends the user's oldest endless calls above its budget.
  ///
  /// - Returns: True if there were any.
  @discardableResult
  private func endSurplusOfUser() -> Bool {
    let limit = admission.budget.endlessCalls
    let oldest = admission.account.removeOldest(above: limit)
    for call in oldest {
      // The call may be on another connection, with another event loop.
      call.onConnection { controller, streamID in
        controller.endDisplaced(streamID, .displaced(limit: limit, of: "a user"))
      }
    }
    return !oldest.isEmpty
  }

  /// Replaces the budget of the connection's user.
  ///
  /// The connection and its calls stay open, except that the user's oldest endless calls are ended
  /// if it has more than the new budget permits.
  func budgetChanged(to budget: PeerBudget) {
    let wasGuest = admission.budget.isGuest
    admission.budget = budget
    if wasGuest != budget.isGuest {
      server.load.guestChanged(
        to: budget.isGuest, connections: admission.isReserved ? 0 : 1,
        calls: handlersRunning - endlessHandlersRunning, endlessCalls: endlessHandlersRunning)
    }
    endSurplusOfUser()
  }

  // MARK: Streams of requests

  /// Adds a message to the queue of its reader.
  ///
  /// - Returns: True if the reader is too far behind; the connection must then wait for it.
  func deliver(_ message: [UInt8], to streamID: UInt32, isLast: Bool) -> Bool {
    guard let requests = entries[streamID]?.requests else { return false }
    requests.append(message)
    if isLast { requests.finish(.success(())) }
    return requests.bytes > limits.effectiveQueuedBytesPerStream
      || inboundBudget.bytes > limits.queuedBytesPerConnection
  }

  /// The queue of a call's requests, if they are a stream.
  package func requests(of streamID: UInt32) -> InboundQueue? { entries[streamID]?.requests }

  /// Ends a stream of requests after its last message.
  package func finishRequests(of streamID: UInt32) {
    entries[streamID]?.requests?.finish(.success(()))
  }

  /// A Boolean value that indicates whether the queues of messages are at most half full.
  var readersHaveCaughtUp: Bool {
    inboundBudget.bytes <= limits.queuedBytesPerConnection / 2
      && entries.ids { $0.queuedBytes > limits.effectiveQueuedBytesPerStream / 2 }.isEmpty
  }

  /// Ends the streams whose handlers are too far behind.
  func endSlowReaders() {
    for streamID in entries.ids(where: { $0.queuedBytes > limits.effectiveQueuedBytesPerStream }) {
      end(streamID, .slowReader)
    }
    while inboundBudget.bytes > limits.queuedBytesPerConnection {
      var greediest: (streamID: UInt32, bytes: Int) = (0, 0)
      entries.forEach { streamID, entry in
        if entry.queuedBytes > greediest.bytes { greediest = (streamID, entry.queuedBytes) }
      }
      guard greediest.bytes > 0 else { return }
      end(greediest.streamID, .slowReader)
    }
  }
}

/// The outcome of a deferred call, on the way to the event loop of its connection.
struct DeferredOutcome: Sendable {
  fileprivate let table: NIOLoopBound<CallTable>
  fileprivate let context: ServerContext
  fileprivate let outcome: Result<[UInt8], RPCError>

  /// Ends the call, on the event loop.
  func deliver() { table.value.completed(context, outcome) }
}

extension CallTable: CallController {
  func endAtDrain(_ streamID: UInt32) {
    guard entries[streamID] != nil else { return }
    entries.update(streamID) { $0.endsAtDrain = true }
    if isDraining { endForDrain(streamID) }
  }

  func setDeadline(of streamID: UInt32, in timeout: Duration) {
    guard entries[streamID] != nil else { return }
    limit(streamID, to: eventLoop.now.advanced(by: timeout))
  }

  func setResponseMetadata(of streamID: UInt32, initial: Metadata, trailing: Metadata) {
    output?.setResponseMetadata(of: streamID, initial: initial, trailing: trailing)
  }

  func endDisplaced(_ streamID: UInt32, _ reason: RPCError) {
    guard entries[streamID] != nil else { return }
    end(streamID, reason)
  }
}
