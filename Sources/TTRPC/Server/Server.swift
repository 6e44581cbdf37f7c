internal import Glibc
public import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix

/// A ttrpc server on a Unix socket.
///
/// ```swift
/// let server = Server(services: [Greeter()], logger: logger)
/// try await server.run(on: UnixListener(path: "/run/greeter.sock")) { print("ready") }
/// ```
///
/// A server runs once. When ``drain()`` is called or the task of ``run(on:onReady:)`` is cancelled,
/// the server answers the calls in flight, for at most ``ServerLimits/drainTimeout``, and
/// ``run(on:onReady:)`` returns.
public final class Server: Sendable {
  let parts: ServerParts
  private let eventLoopCount: Int
  private let logger: Logger
  private let connections = ConnectionTable()
  /// The event loops that run tasks of other threads, or `nil` before they start and from the
  /// beginning of their shutdown.
  private let threads = NIOLockedValueBox<MultiThreadedEventLoopGroup?>(nil)

  /// The state of each event loop, keyed by the event loop's identity.
  private let loops = NIOLockedValueBox<[ObjectIdentifier: ServerLoop]>([:])

  /// Creates a server, which serves once ``run(on:onReady:)`` is called.
  ///
  /// - Parameters:
  ///   - services: The services, which must have distinct names.
  ///   - formats: The protocols to speak besides ttrpc and HTTP/1.1.
  ///   - routes: The paths to serve over HTTP on the same socket. Without routes, the server does
  ///     not recognize HTTP.
  ///   - interceptors: The interceptors around each call, the outermost first.
  ///   - limits: The limits of the server and of each connection.
  ///   - budget: Returns the limits of a peer's user. It is called for each new connection, from
  ///     any thread, and for each open connection after ``budgetsChanged()``.
  ///   - eventLoops: The number of threads for input and output, at least 1. They also run unary
  ///     handlers.
  ///   - logger: The logger, to which the server adds the peer and the method of each call.
  public init(
    services: [any Service], formats: [WireFormat] = [], routes: [HTTPRoute] = [],
    interceptors: [any ServerInterceptor] = [], limits: ServerLimits = ServerLimits(),
    budget: @escaping @Sendable (PeerIdentity) -> PeerBudget = { _ in .unlimited },
    eventLoops: Int = 1, logger: Logger
  ) {
    self.parts = ServerParts(
      services, formats: formats, routes: routes, interceptors: interceptors, limits: limits,
      budget: budget)
    self.eventLoopCount = max(eventLoops, 1)
    self.logger = logger
  }

  private var limits: ServerLimits { parts.limits }

  /// The server's current load.
  public var load: ServerLoad { parts.load }

  /// Accepts connections and answers their calls until the server has drained.
  ///
  /// - Parameters:
  ///   - listener: The listening socket, which is closed before this method returns.
  ///   - onReady: Called once, when the server starts to accept connections.
  /// - Throws: ``UnixListener/Failure`` if the socket cannot accept connections.
  public func run(
    on listener: consuming UnixListener, onReady: @Sendable () -> Void = {}
  ) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: eventLoopCount)
    threads.withLockedValue { $0 = group }
    loops.withLockedValue { loops in
      for eventLoop in group.makeIterator() {
        loops[ObjectIdentifier(eventLoop)] = ServerLoop(eventLoop, parts)
      }
    }
    defer {
      threads.withLockedValue { $0 = nil }
      loops.withLockedValue { $0 = [:] }
    }
    let acceptor: Acceptor
    do {
      acceptor = try Acceptor(listener.descriptor, logger: logger) { [self] socket in
        accept(socket, on: group.next())
      }
    } catch {
      listener.close()
      try? await group.shutdownGracefully()
      throw error
    }
    let accepting = Task { try await acceptor.run() }
    onReady()

    // If the socket fails, the server drains.
    let watching = Task {
      defer { connections.startDrain() }
      try await accepting.value
    }
    await withTaskCancellationHandler {
      await connections.waitForDrain()
    } onCancel: {
      connections.startDrain()
    }
    listener.removeFile()
    acceptor.stop()
    let accepted = await watching.result
    listener.close()
    // Wait until the event loops have taken over the connections that were accepted last.
    await waitForEventLoops()
    await connections.drain(within: limits.drainTimeout, on: group.next(), logger: logger)
    await finish(group)
    try accepted.get()
  }

  /// Shuts the event loops down once no handler needs them.
  ///
  /// Cancelled handlers have ``cancellationTime`` to return. If some do not, the event loops keep
  /// running.
  private func finish(_ group: MultiThreadedEventLoopGroup) async {
    // Handlers of calls that were ended early have been cancelled and need a moment to return.
    let deadline = ContinuousClock.now + Self.cancellationTime
    while load.callsInFlight > 0, ContinuousClock.now < deadline {
      // `Task.sleep` would return at once if this task was cancelled.
      try? await group.next().scheduleTask(in: .milliseconds(1)) {}.futureResult.get()
    }
    guard load.callsInFlight == 0 else {
      // Without their event loop, these handlers could not continue.
      logger.error(
        "handlers did not return after their cancellation",
        metadata: ["handlers": "\(load.callsInFlight)"])
      return
    }
    threads.withLockedValue { $0 = nil }
    try? await group.shutdownGracefully()
  }

  /// The time that cancelled handlers have to return.
  private static let cancellationTime: Duration = .seconds(5)

  /// Waits until each event loop has run a task, which shows that none of them hangs.
  ///
  /// Returns at once if the server is not running.
  public func waitForEventLoops() async {
    let eventLoops = threads.withLockedValue { $0.map { Array($0.makeIterator()) } ?? [] }
    for eventLoop in eventLoops {
      await withCheckedContinuation { continuation in
        // An event loop that has shut down would never run the task, nor complete a future, so the
        // shutdown takes the lock before it begins.
        let isRunning = threads.withLockedValue { group in
          if group != nil { eventLoop.execute { continuation.resume() } }
          return group != nil
        }
        if !isRunning { continuation.resume() }
      }
    }
  }

  /// Starts the drain: the server accepts no more connections, answers the calls in flight, and
  /// ``run(on:onReady:)`` returns.
  ///
  /// Further calls have no effect.
  public func drain() {
    connections.startDrain()
  }

  /// Reads the budget of each open connection again.
  ///
  /// Call it after a change that affects the budgets, such as a new access policy.
  public func budgetsChanged() {
    threads.withLockedValue { group in
      if group != nil { connections.fire(BudgetsChanged()) }
    }
  }

  /// Takes over a connected socket, or closes it if a limit is reached.
  ///
  /// Runs on the acceptor's thread.
  private func accept(_ socket: Int32, on eventLoop: any EventLoop) -> Acceptor.Outcome {
    let peer: PeerIdentity
    do {
      peer = try PeerIdentity(ofPeerOn: socket)
    } catch {
      Glibc.close(socket)
      return .refused(plainText(of: error))
    }
    guard let admission = load.connectionOpened(by: peer.userID, parts.budget(peer)) else {
      Glibc.close(socket)
      return .refused(
        "the limit on connections of the server or of uid \(peer.userID) is reached")
    }
    let wait = parts.connectionRates.wait(of: peer.userID)
    guard wait > .zero else {
      serve(socket, of: peer, admission, on: eventLoop)
      return .accepted
    }
    // The peer's bytes wait in the socket.
    eventLoop.scheduleTask(in: wait) { [self] in
      serve(socket, of: peer, admission, on: eventLoop)
    }.futureResult.whenFailure { [self] _ in
      // The event loop has shut down.
      Glibc.close(socket)
      load.connectionClosed(admission)
    }
    return .delayed("uid \(peer.userID) connects too often or breaks the rules of its protocol")
  }

  /// Serves a connected socket that was admitted.
  private func serve(
    _ socket: Int32, of peer: PeerIdentity, _ admission: Admission, on eventLoop: any EventLoop
  ) {
    // From here on, the channel owns the socket and closes it on failure.
    let isAdded = NIOLockedValueBox(false)
    ClientBootstrap(group: eventLoop)
      .channelOption(.allowRemoteHalfClosure, value: true)
      // One read for each connection that has input, so that no connection delays the others.
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture {
          try add(channel, peer, admission)
          isAdded.withLockedValue { $0 = true }
        }
      }
      .withConnectedSocket(socket)
      .whenFailure { [self] error in
        logger.notice(
          "closing connection: setup failed", metadata: ["error": "\(plainText(of: error))"])
        if !isAdded.withLockedValue(\.self) { load.connectionClosed(admission) }
      }
  }

  private func add(_ channel: any Channel, _ peer: PeerIdentity, _ admission: Admission) throws {
    var logger = logger
    logger[metadataKey: "peer"] = "\(peer)"
    let eventLoop = channel.eventLoop
    guard let loop = loops.withLockedValue({ $0[ObjectIdentifier(eventLoop)] }) else {
      throw ChannelError.eof
    }
    try ServerConnection(parts, peer, admission, channel, loop, logger).start()
    connections.add(channel)
    // The policy may have changed since the connection was accepted.
    channel.pipeline.fireUserInboundEventTriggered(BudgetsChanged())
  }
}

/// The objects that all connections of a server share.
struct ServerParts: Sendable {
  let services: [any Service]
  let formats: [WireFormat]
  let routes: [HTTPRoute]
  let interceptors: ServerInterceptorChain
  let limits: ServerLimits
  let load: ServerLoad
  let connectionRates: ConnectionRates
  let budget: @Sendable (PeerIdentity) -> PeerBudget

  init(
    _ services: [any Service], formats: [WireFormat] = [], routes: [HTTPRoute],
    interceptors: [any ServerInterceptor],
    limits: ServerLimits, budget: @escaping @Sendable (PeerIdentity) -> PeerBudget
  ) {
    self.budget = budget
    self.interceptors = ServerInterceptorChain(interceptors)
    self.services = services
    self.formats = formats
    self.routes = routes
    self.limits = limits
    load = ServerLoad(limits)
    connectionRates = ConnectionRates(limits)
  }
}

/// An event that starts the drain: calls in flight are answered, new ones are refused.
package struct DrainStarted: Sendable {}

/// An event that ends the drain: the calls that are still in flight are ended.
package struct DrainEnded: Sendable {}

/// An event that reports a change of the policy, and possibly of the budget of the connection's
/// user.
package struct BudgetsChanged: Sendable {}
