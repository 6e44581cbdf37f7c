internal import NIOCore
internal import NIOPosix
public import ProtobufC

/// A ttrpc client: one connection, shared by all who call.
///
/// It connects when the first call is made and again when a call finds the connection gone. A call
/// that was under way when it was lost fails with ``StatusCode/unavailable``: whether the server
/// carried it out is unknown. ``Retrying`` sends such a call again where its method allows it.
///
/// While a server cannot be reached, attempts follow each other at growing intervals
/// (``ConnectionBackoff``); between them calls fail at once, save those that wait for it to be ready.
public final class Client: Sendable {
  /// The server's socket.
  public let path: String
  private let configuration: ClientConfiguration
  let interceptors: ClientInterceptorChain
  private let eventLoop: any EventLoop
  /// Runs what is due at a time: deadlines, and the pauses between attempts to connect.
  private let timers: any EventLoop
  private let inboundBudget = InboundBudget()
  private let connector: NIOLoopBoundBox<ClientConnector?>

  /// - Parameter path: The server's socket file.
  public convenience init(
    path: String, configuration: ClientConfiguration = ClientConfiguration()
  ) {
    self.init(path: path, configuration: configuration, timers: nil)
  }

  /// - Parameter timers: An event loop whose time a test sets; `nil`: the connection's own.
  init(path: String, configuration: ClientConfiguration, timers: (any EventLoop)?) {
    self.path = path
    self.configuration = configuration
    self.interceptors = ClientInterceptorChain(configuration.interceptors)
    self.eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    self.timers = timers ?? eventLoop
    self.connector = .makeEmptyBox(valueType: ClientConnector.self, eventLoop: eventLoop)
  }

  /// Closes the connection. Calls that run fail with ``StatusCode/unavailable``, and so do later ones.
  public func close() async {
    let channels = try? await eventLoop.submit { [self] in existingConnector().close() }.get()
    for channel in channels ?? [] { try? await channel.close() }
  }

  // MARK: Calls

  /// Calls a method with one request and one response.
  ///
  /// - Throws: ``RPCError``: the server's status; ``StatusCode/unavailable`` where it cannot be
  ///   reached; ``StatusCode/deadlineExceeded``; ``StatusCode/cancelled`` with the caller's task.
  public func unary<Request: ProtobufMessage, Response: ProtobufMessage>(
    _ method: MethodDescriptor, _ request: Request, options: CallOptions = CallOptions()
  ) async throws(RPCError) -> Response {
    let payload = request.serialized()
    return try await interceptors.run(context(method, options)) { context throws(RPCError) in
      context.traffic.sent(payload.count)
      let exchange = try start(context, payload: payload)
      return try context.response(await exchange.outcome())
    }
  }

  /// Calls a method with one request and any number of responses, for as long as a closure reads them.
  ///
  /// Leaving the closure before the end cancels the call.
  ///
  /// - Throws: What the closure throws. Reading throws ``RPCError`` where the call fails.
  public func serverStreaming<Request: ProtobufMessage, Response: ProtobufMessage, Value>(
    _ method: MethodDescriptor, _ request: Request, options: CallOptions = CallOptions(),
    _ body: (MessageStream<Response>) async throws -> Value
  ) async throws -> Value {
    let payload = request.serialized()
    return try await scope(method, options) { context in
      context.traffic.sent(payload.count)
      let exchange = try start(context, payload: payload)
      return try await exchange.cancelledAfterwards {
        try await body(MessageStream(exchange.inbound, traffic: context.traffic))
      }
    }
  }

  /// Calls a method with any number of requests and one response. A closure writes the requests;
  /// after it the response is waited for.
  ///
  /// A server may answer before it has read all: then writing throws, and the answer counts.
  ///
  /// - Throws: What the closure throws, which cancels the call; otherwise as ``unary(_:_:options:)``.
  public func clientStreaming<Request: ProtobufMessage, Response: ProtobufMessage>(
    _ method: MethodDescriptor, options: CallOptions = CallOptions(),
    _ body: (RequestWriter<Request>) async throws -> Void
  ) async throws -> Response {
    try await scope(method, options) { context in
      let exchange = try start(context)
      let answer = try await exchange.cancelledAfterwards {
        do {
          let writer = try await exchange.writer()
          try await body(RequestWriter(writer))
          try await writer.finish()
        } catch let error as RPCError {
          // The server may have had enough before the closure was done.
          guard case .success(let answer)? = await exchange.knownOutcome() else { throw error }
          return answer
        }
        return try await exchange.outcome()
      }
      return try context.response(answer)
    }
  }

  /// Calls a method with any number of requests and responses, for as long as a closure reads and
  /// writes them.
  ///
  /// Leaving the closure before the end of the responses cancels the call.
  ///
  /// - Throws: What the closure throws. Reading throws ``RPCError`` where the call fails.
  public func bidirectional<Request: ProtobufMessage, Response: ProtobufMessage, Value>(
    _ method: MethodDescriptor, options: CallOptions = CallOptions(),
    _ body: (RequestWriter<Request>, MessageStream<Response>) async throws -> Value
  ) async throws -> Value {
    try await scope(method, options) { context in
      let exchange = try start(context)
      return try await exchange.cancelledAfterwards {
        try await body(
          RequestWriter(try await exchange.writer()),
          MessageStream(exchange.inbound, traffic: context.traffic))
      }
    }
  }

  // MARK: The way of a call

  func context(_ method: MethodDescriptor, _ options: CallOptions) -> ClientContext {
    ClientContext(
      method: method, metadata: options.metadata, deadline: options.timeout.map { .now + $0 },
      waitsForReady: options.waitsForReady)
  }

  /// Runs the scope of a stream inside the interceptors, which see an error that is not the call's own
  /// as the end of a caller who gave up.
  func scope<Value>(
    _ method: MethodDescriptor, _ options: CallOptions,
    _ body: (ClientContext) async throws -> Value
  ) async throws -> Value {
    var callersError: (any Error)?
    do {
      return try await interceptors.run(context(method, options)) { context throws(RPCError) in
        do {
          return try await body(context)
        } catch let error as RPCError {
          throw error
        } catch {
          callersError = error
          throw RPCError(code: .cancelled, message: "the caller gave up", cause: error)
        }
      }
    } catch {
      throw callersError ?? error
    }
  }

  /// Sends a request as soon as there is a connection.
  func start(
    _ context: ClientContext, payload: [UInt8] = []
  ) throws(RPCError) -> ClientExchange {
    let timeout = context.deadline.map { ContinuousClock.now.duration(to: $0) }
    if let timeout, timeout <= .zero { throw .deadlineExceeded }
    let deadline = timeout.map { timers.now + TimeAmount(min($0, .longest)) }
    let request = WireRequest(
      service: context.method.service, method: context.method.name, payload: payload,
      timeout: timeout, metadata: context.metadata)
    let exchange = ClientExchange(
      shape: context.method.shape, budget: inboundBudget, eventLoop: eventLoop)
    eventLoop.execute { [self] in
      let call = exchange.begin(context)
      if let deadline { call.setDeadline(deadline, timers: timers, on: eventLoop) }
      send(request, of: call)
    }
    return exchange
  }

  private func send(_ request: WireRequest, of call: ClientCall) {
    let call = NIOLoopBound(call, eventLoop: eventLoop)
    let connector = existingConnector()
    connector.connection().whenComplete { [self] result in
      guard !call.value.isFinished else { return }
      switch result {
      case .success(let connection):
        let handler = connection.handler.value
        call.value.assign(handler)
        if handler.start(call.value, request: request) { return }
        // It was lost, or ran out of ids, since it was made.
        existingConnector().connectionIsUsedUp(connection)
        send(request, of: call.value)
      case .failure(let error):
        notConnected(error, request, call)
      }
    }
  }

  private func notConnected(
    _ error: any Error, _ request: WireRequest, _ call: NIOLoopBound<ClientCall>
  ) {
    let connector = existingConnector()
    let error =
      error as? RPCError
      ?? RPCError(code: .unavailable, message: "cannot connect to \(path)", cause: error)
    // A path that no socket can have never becomes ready.
    let mayBecomeReady = error.code == .unavailable && !connector.isClosed
    guard call.value.waitsForReady, mayBecomeReady else {
      return call.value.finish(.failure(error))
    }
    timers.scheduleTask(deadline: connector.nextAttempt) { [self] in
      eventLoop.execute { [self] in
        if !call.value.isFinished { send(request, of: call.value) }
      }
    }
  }

  private func existingConnector() -> ClientConnector {
    if let existing = connector.value { return existing }
    let made = ClientConnector(
      path: path, configuration: configuration, inboundBudget: inboundBudget,
      eventLoop: eventLoop, timers: timers)
    connector.value = made
    return made
  }
}

/// Sends a stream of requests.
public struct RequestWriter<Message: ProtobufMessage>: Sendable {
  private let writer: StreamWriter

  init(_ writer: StreamWriter) {
    self.writer = writer
  }

  /// Sends a message. Suspends while the server has not read what was sent before.
  ///
  /// - Throws: ``StatusCode/resourceExhausted`` for a message above the size limit, which is not sent;
  ///   ``StatusCode/failedPrecondition`` after ``finish()``; ``StatusCode/cancelled`` once the call has
  ///   ended.
  public func write(_ message: Message) async throws(RPCError) {
    try await writer.write(message)
  }

  /// Says that nothing more will come. Responses may still be read. Later calls do nothing.
  public func finish() async throws(RPCError) {
    try await writer.finish()
  }
}

extension ClientContext {
  fileprivate func response<Response: ProtobufMessage>(
    _ answer: [UInt8]
  ) throws(RPCError) -> Response {
    traffic.received(answer.count)
    do {
      return try Response(serialized: answer)
    } catch {
      throw RPCError(
        code: .internalError, message: "the answer is no \(Response.fullName): \(error)",
        cause: error)
    }
  }
}
