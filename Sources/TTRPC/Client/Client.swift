internal import NIOCore
internal import NIOPosix
public import ProtobufC

/// A ttrpc client with one connection, which all callers share.
///
/// The client connects when the first call is made, and reconnects when a call finds the connection
/// lost. A call that is in flight when the connection is lost fails with
/// ``StatusCode/unavailable``; the server may or may not have performed it. ``Retrying`` retries
/// such a call if its method is idempotent.
///
/// While the server cannot be reached, the client tries to connect at growing intervals
/// (``ConnectionBackoff``). Between these attempts calls fail immediately, except those with
/// ``CallOptions/waitsForReady``.
public final class Client: Sendable {
  /// The path of the server's socket.
  public let path: String
  private let configuration: ClientConfiguration
  let interceptors: ClientInterceptorChain
  private let eventLoop: any EventLoop
  /// The event loop for deadlines and for the pauses between attempts to connect.
  private let timers: any EventLoop
  private let inboundBudget = InboundBudget()
  private let connector: NIOLoopBoundBox<ClientConnector?>

  /// Creates a client, which connects when the first call is made.
  ///
  /// - Parameters:
  ///   - path: The path of the server's socket, at most 107 bytes. An invalid path makes each call
  ///     fail with ``StatusCode/invalidArgument``.
  ///   - configuration: The limits, backoff, maximum age and interceptors of the connection.
  public convenience init(
    path: String, configuration: ClientConfiguration = ClientConfiguration()
  ) {
    self.init(path: path, configuration: configuration, timers: nil)
  }

  /// Creates a client with a clock of its own, for tests.
  ///
  /// - Parameter timers: The event loop for deadlines and pauses, nil for the connection's own.
  init(path: String, configuration: ClientConfiguration, timers: (any EventLoop)?) {
    self.path = path
    self.configuration = configuration
    self.interceptors = ClientInterceptorChain(configuration.interceptors)
    self.eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    self.timers = timers ?? eventLoop
    self.connector = .makeEmptyBox(valueType: ClientConnector.self, eventLoop: eventLoop)
  }

  /// Closes the connection for good.
  ///
  /// Calls in flight and later calls fail with ``StatusCode/unavailable``.
  public func close() async {
    let channels = try? await eventLoop.submit { [self] in existingConnector().close() }.get()
    for channel in channels ?? [] { try? await channel.close() }
  }

  // MARK: Calls

  /// Calls a method with one request and one response.
  ///
  /// - Throws: ``RPCError`` with the server's status; with ``StatusCode/unavailable`` if the server
  ///   cannot be reached or the connection is lost; with ``StatusCode/deadlineExceeded`` after the
  ///   timeout; with ``StatusCode/cancelled`` if the task is cancelled.
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

  /// Calls a method with one request and any number of responses, which a closure reads.
  ///
  /// The call lasts as long as the closure. If the closure returns or throws before the end of the
  /// responses, the call is cancelled.
  ///
  /// - Parameters:
  ///   - method: A method with the shape ``CallShape/serverStreaming``.
  ///   - request: The single request, which is sent as soon as there is a connection.
  ///   - options: The options of the call. The timeout covers the whole stream, not each message.
  ///   - body: Reads the responses. Reading throws ``RPCError`` if the call fails.
  /// - Returns: The value that the closure returns.
  /// - Throws: The closure's error.
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

  /// Calls a method with any number of requests, which a closure writes, and one response.
  ///
  /// After the closure returns, the client waits for the response. A server may respond before it
  /// has read all requests. Writing then throws an ``RPCError``. If the closure rethrows it, the
  /// call still returns the response.
  ///
  /// - Parameters:
  ///   - method: A method with the shape ``CallShape/clientStreaming``.
  ///   - options: The options of the call. The timeout covers the whole stream, not each message.
  ///   - body: Writes the requests. An error that it throws cancels the call.
  /// - Throws: The closure's error; otherwise the errors of ``unary(_:_:options:)``.
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
          // The server may have responded before the closure had written all requests.
          guard case .success(let answer)? = await exchange.knownOutcome() else { throw error }
          return answer
        }
        return try await exchange.outcome()
      }
      return try context.response(answer)
    }
  }

  /// Calls a method with any number of requests and responses, which a closure writes and reads.
  ///
  /// The call lasts as long as the closure. If the closure returns or throws before the end of the
  /// responses, the call is cancelled.
  ///
  /// - Parameters:
  ///   - method: A method with the shape ``CallShape/bidirectional``.
  ///   - options: The options of the call. The timeout covers the whole stream, not each message.
  ///   - body: Writes the requests and reads the responses. Reading throws ``RPCError`` if the call
  ///     fails.
  /// - Returns: The value that the closure returns.
  /// - Throws: The closure's error.
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

  // MARK: Implementation of calls

  func context(_ method: MethodDescriptor, _ options: CallOptions) -> ClientContext {
    ClientContext(
      method: method, metadata: options.metadata, deadline: options.timeout.map { .now + $0 },
      waitsForReady: options.waitsForReady)
  }

  /// Runs a stream's closure inside the interceptors.
  ///
  /// Interceptors see an error that is not an ``RPCError`` as CANCELLED; the caller gets the error
  /// itself.
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
          throw RPCError(code: .cancelled, message: "the caller cancelled the call", cause: error)
        }
      }
    } catch {
      throw callersError ?? error
    }
  }

  /// Starts a call, whose request is sent as soon as there is a connection.
  func start(
    _ context: ClientContext, payload: [UInt8] = []
  ) throws(RPCError) -> ClientExchange {
    let timeout = context.deadline.map { ContinuousClock.now.duration(to: $0) }
    if let timeout, timeout <= .zero { throw .deadlineExceeded }
    let deadline = timeout.map { timers.now.advanced(by: $0) }
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
        // The connection was lost, was replaced or ran out of ids in the meantime.
        existingConnector().stopUsing(connection)
        send(request, of: call.value)
      case .failure(let error):
        connectingFailed(error, request, call)
      }
    }
  }

  private func connectingFailed(
    _ error: any Error, _ request: WireRequest, _ call: NIOLoopBound<ClientCall>
  ) {
    let connector = existingConnector()
    let error =
      error as? RPCError
      ?? RPCError(
        code: .unavailable, message: "cannot connect to \(path)", details: [.noEffect],
        cause: error)
    // An invalid path never becomes ready.
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

/// A writer for the requests of a stream.
public struct RequestWriter<Message: ProtobufMessage>: Sendable {
  private let writer: StreamWriter

  init(_ writer: StreamWriter) {
    self.writer = writer
  }

  /// Sends a message, and suspends while the server has not read earlier ones.
  ///
  /// - Throws: ``StatusCode/resourceExhausted`` for a message above the size limit, which is not
  ///   sent; ``StatusCode/failedPrecondition`` after ``finish()``; ``StatusCode/cancelled`` if the
  ///   call has ended or the task is cancelled.
  public func write(_ message: Message) async throws(RPCError) {
    try await writer.write(message)
  }

  /// Ends the stream of requests; responses can still be read.
  ///
  /// Later calls of this method have no effect.
  ///
  /// - Throws: ``StatusCode/cancelled`` if the call has ended or the task is cancelled.
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
        code: .internalError,
        message: "the response is not a valid \(Response.fullName): \(error)", cause: error)
    }
  }
}
