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
/// Its life is one call of ``run(on:onReady:)``, which returns once ``drain()`` was called, or its
/// task was cancelled, and every running call was answered or ``ServerLimits/drainTime`` had passed.
public final class Server: Sendable {
  private let parts: ServerParts
  private let eventLoopCount: Int
  private let logger: Logger
  private let connections = ConnectionTable()
  /// The threads, while there are any.
  private let threads = NIOLockedValueBox<MultiThreadedEventLoopGroup?>(nil)

  /// What belongs to each of them, by its event loop.
  private let loops = NIOLockedValueBox<[ObjectIdentifier: ServerLoop]>([:])

  /// - Parameters:
  ///   - services: What it answers. Each name once.
  ///   - routes: What it answers to HTTP on the same socket. Without any, HTTP is not spoken.
  ///   - interceptors: What runs around each call, the first outermost.
  ///   - budget: The limits of a peer's user. It is asked for each connection, from any thread, and again
  ///     after ``budgetsChanged()``.
  ///   - eventLoops: Threads that move bytes and run handlers up to where they wait.
  public init(
    services: [any Service], routes: [HTTPRoute] = [],
    interceptors: [any ServerInterceptor] = [], limits: ServerLimits = ServerLimits(),
    budget: @escaping @Sendable (PeerIdentity) -> PeerBudget = { _ in .unlimited },
    eventLoops: Int = 1, logger: Logger
  ) {
    self.parts = ServerParts(
      services, routes: routes, interceptors: interceptors, limits: limits, budget: budget)
    self.eventLoopCount = max(eventLoops, 1)
    self.logger = logger
  }

  private var limits: ServerLimits { parts.limits }

  /// What it is doing now.
  public var load: ServerLoad { parts.load }

  /// Accepts connections and answers their calls until it has drained.
  ///
  /// - Parameter onReady: Called once connections are accepted.
  /// - Throws: What the system says when the socket cannot be served.
  public func run(
    on listener: consuming UnixListener, onReady: @Sendable () -> Void = {}
  ) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: eventLoopCount)
    threads.withLockedValue { $0 = group }
    loops.withLockedValue { loops in
      for eventLoop in group.makeIterator() {
        loops[ObjectIdentifier(eventLoop)] = ServerLoop(eventLoop, limits)
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

    // A socket that fails ends the server as a drain does.
    let watching = Task {
      defer { connections.startDrain() }
      try await accepting.value
    }
    await withTaskCancellationHandler {
      await connections.drainStarted()
    } onCancel: {
      connections.startDrain()
    }
    listener.removeFile()
    acceptor.stop()
    let accepted = await watching.result
    listener.close()
    // What was accepted last is on its way to its event loop.
    await turn()
    await connections.drain(within: limits.drainTime, on: group.next(), logger: logger)
    await finish(group)
    try accepted.get()
  }

  /// Ends the threads, once no handler needs them any more.
  private func finish(_ group: MultiThreadedEventLoopGroup) async {
    // Handlers of calls that were ended without them have been cancelled, and need a moment.
    let patience = ContinuousClock.now + Self.cancellationTime
    while load.callsInFlight > 0, ContinuousClock.now < patience {
      // Not a sleep of this task's, which may be cancelled.
      try? await group.next().scheduleTask(in: .milliseconds(1)) {}.futureResult.get()
    }
    guard load.callsInFlight == 0 else {
      // They would be left without a thread to go on.
      logger.error(
        "handlers do not heed their cancellation",
        metadata: ["handlers": "\(load.callsInFlight)"])
      return
    }
    try? await group.shutdownGracefully()
  }

  /// How long a cancelled handler may take to return.
  private static let cancellationTime: Duration = .seconds(5)

  /// Returns once each thread that moves bytes has come round to it, which shows that none hangs; at
  /// once where the server does not run.
  public func turn() async {
    guard let group = threads.withLockedValue({ $0 }) else { return }
    for eventLoop in group.makeIterator() {
      // A thread that ends meanwhile does not hang either.
      try? await eventLoop.submit {}.get()
    }
  }

  /// Makes ``run(on:onReady:)`` stop accepting, answer what runs, and return. Later calls do nothing.
  public func drain() {
    connections.startDrain()
  }

  /// Asks for the budget of each open connection again, since the policy that it came from has changed.
  public func budgetsChanged() {
    connections.fire(BudgetsChanged())
  }

  /// Takes over a connected socket, or closes it where a limit is reached. Runs on the acceptor's thread.
  private func accept(_ socket: Int32, on eventLoop: any EventLoop) -> Acceptor.Outcome {
    let peer: PeerIdentity
    do {
      peer = try PeerIdentity(ofPeerOn: socket)
    } catch {
      Glibc.close(socket)
      return .refused("\(error)")
    }
    guard let admission = load.connectionOpened(by: peer.userID, parts.budget(peer)) else {
      Glibc.close(socket)
      return .refused(
        "the server has as many connections as it takes, or uid \(peer.userID) as many as it may")
    }
    // The channel owns the socket from here on, and closes it where it fails.
    let isAdded = NIOLockedValueBox(false)
    ClientBootstrap(group: eventLoop)
      .channelOption(.allowRemoteHalfClosure, value: true)
      // One read of each connection that has something, before the next of any.
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture {
          try add(channel, peer, admission)
          isAdded.withLockedValue { $0 = true }
        }
      }
      .withConnectedSocket(socket)
      .whenFailure { [self] error in
        logger.notice("closing: the connection failed", metadata: ["error": "\(error)"])
        if !isAdded.withLockedValue(\.self) { load.connectionClosed(admission) }
      }
    return .accepted
  }

  private func add(_ channel: any Channel, _ peer: PeerIdentity, _ admission: Admission) throws {
    var logger = logger
    logger[metadataKey: "peer"] = "\(peer)"
    let eventLoop = channel.eventLoop
    guard let loop = loops.withLockedValue({ $0[ObjectIdentifier(eventLoop)] }) else {
      throw ChannelError.eof
    }
    let handler = ServerConnectionHandler(
      server: parts, peer: peer, logger: logger, loop: loop, admission: admission)
    try channel.pipeline.syncOperations.addHandler(handler)
    let this = NIOLoopBound(handler, eventLoop: eventLoop)
    // By what the handler was admitted with then: its budget may have changed.
    channel.closeFuture.whenComplete { _ in this.value.connectionClosed() }
    connections.add(channel)
    // The policy may have changed since the connection was accepted.
    channel.pipeline.fireUserInboundEventTriggered(BudgetsChanged())
  }
}
