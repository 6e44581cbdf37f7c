internal import NIOCore
internal import NIOPosix
public import ProtobufC

/// A ttrpc client: one connection, shared by all who call.
///
/// It connects when the first call is made and again when a call finds the connection gone. A call
/// that was under way when it was lost fails with ``StatusCode/unavailable``: whether the server
/// carried it out is unknown, so sending it again is for the caller to decide.
public final class Client: Sendable {
  /// The server's socket.
  public let path: String
  private let limits: WireLimits
  private let connectTimeout: Duration
  private let eventLoop: any EventLoop
  private let connector: NIOLoopBoundBox<Connector>

  /// The one connection: there, on its way, or not wanted any more. Lives on the event loop.
  private struct Connector {
    var connection: EventLoopFuture<Connection>?
    /// Counts connections, so that the end of an old one does not take the new one with it.
    var generation = 0
    var isClosed = false
  }

  private struct Connection: Sendable {
    var channel: any Channel
    var handler: NIOLoopBound<ClientConnectionHandler>
  }

  /// - Parameters:
  ///   - path: The server's socket file.
  ///   - connectTimeout: How long one attempt to connect may take.
  public init(
    path: String, limits: WireLimits = WireLimits(), connectTimeout: Duration = .seconds(5)
  ) {
    self.path = path
    self.limits = limits
    self.connectTimeout = connectTimeout
    self.eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    self.connector = .makeBoxSendingValue(Connector(), eventLoop: eventLoop)
  }

  /// Calls a method with one request and one response.
  ///
  /// - Throws: ``RPCError``: the server's status; ``StatusCode/unavailable`` where it cannot be
  ///   reached; ``StatusCode/deadlineExceeded``; ``StatusCode/cancelled`` with the caller's task.
  public func unary<Request: ProtobufMessage, Response: ProtobufMessage>(
    service: String, method: String, _ request: Request, options: CallOptions = CallOptions()
  ) async throws(RPCError) -> Response {
    let answer = try await call(
      service: service, method: method, payload: request.serialized(), options: options)
    do {
      return try Response(serialized: answer)
    } catch {
      throw RPCError(
        code: .internalError, message: "the answer is no \(Response.fullName): \(error)",
        cause: error)
    }
  }

  /// Closes the connection. Calls that run fail with ``StatusCode/unavailable``, and so do later ones.
  public func close() async {
    let connection = try? await eventLoop.submit { [connector] in
      connector.value.isClosed = true
      return connector.value.connection
    }.get()
    guard let channel = try? await connection?.get().channel else { return }
    try? await channel.close()
  }

  private func call(
    service: String, method: String, payload: [UInt8], options: CallOptions
  ) async throws(RPCError) -> [UInt8] {
    if let timeout = options.timeout, timeout <= .zero { throw .deadlineExceeded }
    let deadline = options.timeout.map { NIODeadline.now() + TimeAmount(min($0, .longest)) }
    let request = WireRequest(
      service: service, method: method, payload: payload, timeout: options.timeout,
      metadata: options.metadata)

    let promise = eventLoop.makePromise(of: Result<[UInt8], RPCError>.self)
    let call = NIOLoopBoundBox<ClientCall?>.makeEmptyBox(
      valueType: ClientCall.self, eventLoop: eventLoop)
    let outcome = try? await withTaskCancellationHandler {
      eventLoop.execute { [self] in
        let started = ClientCall(promise)
        call.value = started
        if let deadline { started.setDeadline(deadline, on: eventLoop) }
        send(request, of: started)
      }
      return try await promise.futureResult.get()
    } onCancel: {
      eventLoop.execute {
        call.value?.abandon(RPCError(code: .cancelled, message: "the caller was cancelled"))
      }
    }
    // The promise is only ever given a result.
    return try (outcome ?? .failure(RPCError(code: .internalError, message: "no outcome"))).get()
  }

  /// Sends a request as soon as there is a connection.
  private func send(_ request: WireRequest, of call: ClientCall) {
    let call = NIOLoopBound(call, eventLoop: eventLoop)
    connection().whenComplete { [self] result in
      guard !call.value.isFinished else { return }
      switch result {
      case .success(let connection):
        let handler = connection.handler.value
        call.value.assign(handler)
        if handler.start(call.value, request: request) { return }
        // It was lost, or ran out of ids, since it was made.
        connector.value.connection = nil
        send(request, of: call.value)
      case .failure(let error):
        call.value.finish(.failure(error as? RPCError ?? unreachable(error)))
      }
    }
  }

  private func connection() -> EventLoopFuture<Connection> {
    if connector.value.isClosed {
      return eventLoop.makeFailedFuture(
        RPCError(code: .unavailable, message: "the client is closed"))
    }
    if let connection = connector.value.connection { return connection }

    let connection = ClientBootstrap(group: eventLoop)
      .connectTimeout(TimeAmount(connectTimeout))
      .channelInitializer { [limits] channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ClientConnectionHandler(limits: limits))
        }
      }
      .connect(unixDomainSocketPath: path)
      .flatMapThrowing { channel in
        Connection(
          channel: channel,
          handler: NIOLoopBound(
            try channel.pipeline.syncOperations.handler(type: ClientConnectionHandler.self),
            eventLoop: channel.eventLoop))
      }
    connector.value.connection = connection
    connector.value.generation += 1
    let generation = connector.value.generation
    connection.flatMap(\.channel.closeFuture).whenComplete { [connector] _ in
      if connector.value.generation == generation { connector.value.connection = nil }
    }
    return connection
  }

  private func unreachable(_ error: any Error) -> RPCError {
    let reason = (error as? IOError).map { systemErrorText($0.errnoCode) } ?? "\(error)"
    return RPCError(
      code: .unavailable, message: "cannot connect to \(path): \(reason)", cause: error)
  }
}
