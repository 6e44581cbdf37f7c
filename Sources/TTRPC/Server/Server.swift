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
  ///   - eventLoops: Threads that move bytes and run handlers up to where they wait.
  public init(
    services: [any Service], routes: [HTTPRoute] = [],
    interceptors: [any ServerInterceptor] = [], limits: ServerLimits = ServerLimits(),
    eventLoops: Int = 1, logger: Logger
  ) {
    self.parts = ServerParts(
      services, routes: routes, interceptors: interceptors, limits: limits)
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
    let listening: any Channel
    do {
      listening = try await bootstrap(group).withBoundSocket(listener.descriptor).get()
    } catch {
      listener.removeFile()
      try? await group.shutdownGracefully()
      throw error
    }
    onReady()

    await withTaskCancellationHandler {
      await connections.drainStarted()
    } onCancel: {
      connections.startDrain()
    }
    listener.removeFile()
    try? await listening.close()
    await connections.drain(within: limits.drainTime, on: group.next(), logger: logger)
    await finish(group)
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

  private func bootstrap(_ group: MultiThreadedEventLoopGroup) -> ServerBootstrap {
    ServerBootstrap(group: group)
      // SwiftNIO listens anew, and would make it less.
      .serverChannelOption(.backlog, value: UnixListener.backlog)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      // One read of each connection that has something, before the next of any.
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture { try accept(channel) }
      }
  }

  private func accept(_ channel: any Channel) throws {
    guard load.connectionOpened() else {
      logger.warning("a connection is refused: the limit is \(limits.connections)")
      throw ChannelError.operationUnsupported
    }
    channel.closeFuture.whenComplete { [load] _ in load.connectionClosed() }
    let peer = try channel.pipeline.syncOperations.peerIdentity()
    var logger = logger
    logger[metadataKey: "peer"] = "\(peer)"
    let eventLoop = channel.eventLoop
    guard let loop = loops.withLockedValue({ $0[ObjectIdentifier(eventLoop)] }) else {
      throw ChannelError.eof
    }
    try channel.pipeline.syncOperations.addHandler(
      ServerConnectionHandler(server: parts, peer: peer, logger: logger, loop: loop))
    connections.add(channel)
  }
}
