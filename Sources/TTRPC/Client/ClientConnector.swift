internal import NIOCore
internal import NIOPosix

/// The owner of a client's connection, used on the client's event loop only.
///
/// It connects when a call needs a connection, reconnects after a loss, and replaces a connection
/// that has reached its maximum age.
final class ClientConnector {
  struct Connection: Sendable {
    var channel: any Channel
    var handler: NIOLoopBound<ClientConnectionHandler>
  }

  private let path: String
  private let configuration: ClientConfiguration
  private let inboundBudget: InboundBudget
  private let eventLoop: any EventLoop
  private let timers: any EventLoop

  private var current: Connection?
  /// All open connections: the current one, and older ones that still have calls in flight.
  private var channels: [ObjectIdentifier: any Channel] = [:]
  private var currentSince: NIODeadline
  private var attempt: EventLoopFuture<Connection>?
  private var failures = 0
  private var lastFailure: RPCError?
  /// The earliest time of the next attempt to connect.
  private(set) var nextAttempt: NIODeadline
  private(set) var isClosed = false

  init(
    path: String, configuration: ClientConfiguration, inboundBudget: InboundBudget,
    eventLoop: any EventLoop, timers: any EventLoop
  ) {
    self.path = path
    self.configuration = configuration
    self.inboundBudget = inboundBudget
    self.eventLoop = eventLoop
    self.timers = timers
    currentSince = timers.now
    nextAttempt = timers.now
  }

  /// Returns the current connection, or connects if there is none.
  ///
  /// The future fails with an ``RPCError`` if the client is closed or if the last attempt to
  /// connect failed and its pause is not over.
  func connection() -> EventLoopFuture<Connection> {
    if isClosed { return eventLoop.makeFailedFuture(RPCError.clientClosed) }
    let now = timers.now
    if let current {
      if isOld(at: now), attempt == nil, now >= nextAttempt { _ = connect() }
      // If connecting has completed already, the old connection accepts no more calls.
      return eventLoop.makeSucceededFuture(self.current ?? current)
    }
    if let attempt { return attempt }
    if now < nextAttempt, let lastFailure { return eventLoop.makeFailedFuture(lastFailure) }
    return connect()
  }

  /// Stops using a connection for new calls; its calls in flight continue.
  func stopUsing(_ connection: Connection) {
    if current?.channel === connection.channel { current = nil }
  }

  /// Prevents further connections.
  ///
  /// - Returns: The connections that are open, for the caller to close.
  func close() -> [any Channel] {
    isClosed = true
    current = nil
    return Array(channels.values)
  }

  private func isOld(at now: NIODeadline) -> Bool {
    guard let age = configuration.connectionAge else { return false }
    return now - currentSince > TimeAmount(age)
  }

  private func connect() -> EventLoopFuture<Connection> {
    let promise = eventLoop.makePromise(of: Connection.self)
    attempt = promise.futureResult
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    let descriptor: Int32
    do throws(RPCError) {
      // NIO's own connect accepts only shorter paths than the system does.
      descriptor = try UnixAddress.connect(path)
    } catch {
      promise.fail(connectFailed(error))
      return promise.futureResult
    }
    ClientBootstrap(group: eventLoop)
      .channelInitializer { [limits = configuration.limits, inboundBudget] channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            ClientConnectionHandler(limits: limits, inboundBudget: inboundBudget))
        }
      }
      .withConnectedSocket(descriptor)
      .flatMapThrowing { channel in
        let handler = try channel.pipeline.syncOperations.handler(
          type: ClientConnectionHandler.self)
        let connection = Connection(
          channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        return try this.value.connected(connection)
      }
      .flatMapErrorThrowing { [path] error in
        throw this.value.connectFailed(RPCError(connecting: path, error))
      }
      .cascade(to: promise)
    return promise.futureResult
  }

  private func connected(_ connection: Connection) throws(RPCError) -> Connection {
    attempt = nil
    failures = 0
    guard !isClosed else {
      connection.channel.close(promise: nil)
      throw .clientClosed
    }
    let old = current
    current = connection
    currentSince = timers.now
    old?.handler.value.retire()
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    channels[ObjectIdentifier(connection.channel)] = connection.channel
    connection.channel.closeFuture.whenComplete { _ in
      this.value.channels[ObjectIdentifier(connection.channel)] = nil
      this.value.stopUsing(connection)
    }
    return connection
  }

  private func connectFailed(_ error: RPCError) -> RPCError {
    attempt = nil
    guard !isClosed else { return error }
    failures += 1
    nextAttempt =
      timers.now + TimeAmount(configuration.backoff.pause(afterFailures: failures))
    lastFailure = error
    return error
  }
}

extension RPCError {
  fileprivate init(connecting path: String, _ error: any Error) {
    if let error = error as? RPCError {
      self = error
      return
    }
    self.init(
      code: .unavailable, message: "cannot connect to \(path): \(plainText(of: error))",
      details: [.noEffect], cause: error)
  }

  static let clientClosed = RPCError(code: .unavailable, message: "the client is closed")
}
