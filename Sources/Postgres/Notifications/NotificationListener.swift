/// Listens on channels of a database, over one connection of its own that comes back by itself.
///
/// PostgreSQL keeps no notification for who is away. So a listener says each time from when on it
/// listens: whoever relies on it reads then what the notifications would have been about.
public final class NotificationListener: Sendable {
  /// What a listener has to say.
  public enum Event: Sendable, Hashable {
    /// It listens from now on: at first, and each time it was away. What was committed before is to
    /// be read; what is committed later is notified.
    case listening
    case notification(PostgresNotification)
  }

  private let configuration: PostgresConfiguration
  let connection: Connection
  private let statements: [Statement]
  private let connected: AsyncStream<Void>
  private let stopRequests: AsyncStream<Never>
  private let stop: AsyncStream<Never>.Continuation
  private let onConnectionEvent: @Sendable (PoolEvent) -> Void
  private let onEvent: @Sendable (Event) -> Void

  /// Prepares a listener, which ``run()`` has connect.
  ///
  /// - Parameters:
  ///   - channels: By their names as they are, quoted nowhere.
  ///   - onConnectionEvent: What happens to its connection, for a log. As `onEvent`, it runs on the
  ///     connection's thread or on the task of ``run()``, and should be quick.
  ///   - onEvent: What it hears.
  /// - Throws: ``PostgresError`` if the configuration cannot be used, or the system is out of
  ///   descriptors or threads.
  public init(
    configuration: PostgresConfiguration,
    channels: [String],
    onConnectionEvent: @escaping @Sendable (PoolEvent) -> Void = { _ in },
    onEvent: @escaping @Sendable (Event) -> Void
  ) throws(PostgresError) {
    // Only the last connection counts.
    let (connected, up) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    connection = try Connection(configuration: configuration) { event in
      onConnectionEvent(event)
      if case .connected = event { up.yield() }
    } onNotification: { notification in
      onEvent(.notification(notification))
    }
    self.configuration = configuration
    self.connected = connected
    self.onConnectionEvent = onConnectionEvent
    self.onEvent = onEvent
    statements = channels.map { Statement("LISTEN \"\($0.replacing("\"", with: "\"\""))\"") }
    (stopRequests, stop) = AsyncStream.makeStream()
  }

  /// Listens until the task is cancelled or ``shutdown()`` is called. A listener runs once.
  public func run() async {
    connection.start()
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for await _ in self.connected { await self.listen() }
      }
      for await _ in stopRequests {}
      group.cancelAll()
      // At once: nobody waits for what a silent database may still say.
      await connection.close()
    }
  }

  /// Has ``run()`` come to its end; returns at once.
  public func shutdown() { stop.finish() }

  /// Listens on a connection that has come up, until it does or that connection is gone.
  private func listen() async {
    var backoff = Backoff(
      minimum: configuration.minimumBackoff, maximum: configuration.maximumBackoff)
    while !Task.isCancelled {
      do throws(PostgresError) {
        for statement in statements { try await connection.execute(statement) }
        return onEvent(.listening)
      } catch {
        // The next connection has its own turn.
        guard connection.isConnected, !Task.isCancelled else { return }
        let pause = backoff.failed(randomFraction: configuration.randomFraction())
        onConnectionEvent(.connectionFailed(error, retryIn: pause))
        try? await Task.sleep(for: pause)
      }
    }
  }
}
