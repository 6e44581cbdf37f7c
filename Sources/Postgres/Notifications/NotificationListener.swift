/// A notification that a session sent with NOTIFY.
public struct PostgresNotification: Sendable, Hashable {
  /// The name of the channel.
  public let channel: String

  /// The payload; an empty string if NOTIFY had none.
  public let payload: String
}

/// A listener on channels of a database, with a connection of its own that reconnects by itself.
///
/// PostgreSQL does not store notifications for disconnected sessions. The listener therefore
/// reports whenever it starts to listen, so that its user can read the changes that it may have
/// missed.
public final class NotificationListener: Sendable {
  /// A notification, or the start of listening.
  public enum Event: Sendable, Hashable {
    /// The listener has started to listen, for the first time or after a reconnection.
    ///
    /// Changes that were committed before must be read; later ones cause notifications.
    case listening
    /// A notification arrived on one of the channels.
    case notification(PostgresNotification)
  }

  private let configuration: PostgresConfiguration
  /// The connection that listens, on which short statements can be run as well.
  public let connection: Connection
  private let statements: [Statement]
  private let connected: AsyncStream<Void>
  private let stopRequests: AsyncStream<Never>
  private let stop: AsyncStream<Never>.Continuation
  private let onConnectionEvent: @Sendable (PoolEvent) -> Void
  private let onEvent: @Sendable (Event) -> Void

  /// Creates a listener, which ``run()`` connects.
  ///
  /// - Parameters:
  ///   - configuration: The address of the database and the limits of the connection.
  ///   - channels: The names of the channels, unquoted and case-sensitive.
  ///   - onConnectionEvent: Receives the connection's events, for a log. Like `onEvent`, it runs on
  ///     the connection's thread or on the task of ``run()`` and must not block.
  ///   - onEvent: Receives the notifications and the starts of listening.
  /// - Throws: ``PostgresError`` if the configuration is invalid, or no file descriptor or thread
  ///   can be created.
  public init(
    configuration: PostgresConfiguration,
    channels: [String],
    onConnectionEvent: @escaping @Sendable (PoolEvent) -> Void = { _ in },
    onEvent: @escaping @Sendable (Event) -> Void
  ) throws(PostgresError) {
    // Only the latest connection matters.
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

  /// Listens until the task is cancelled or ``shutdown()`` is called; can be called only once.
  public func run() async {
    connection.start()
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for await _ in self.connected { await self.listen() }
      }
      for await _ in stopRequests {}
      group.cancelAll()
      // Without a timeout: no statement is pending whose result matters.
      await connection.close()
    }
  }

  /// Makes ``run()`` return; does not wait for it.
  public func shutdown() { stop.finish() }

  /// Runs the LISTEN statements on a new connection, and retries them while it is connected.
  private func listen() async {
    var backoff = Backoff(
      minimum: configuration.minimumBackoff, maximum: configuration.maximumBackoff)
    while !Task.isCancelled {
      do throws(PostgresError) {
        for statement in statements { try await connection.execute(statement) }
        return onEvent(.listening)
      } catch {
        // After a reconnection, `run()` calls this function again.
        guard connection.isConnected, !Task.isCancelled else { return }
        let pause = backoff.failed(randomFraction: configuration.randomFraction())
        onConnectionEvent(.connectionFailed(error, retryIn: pause))
        try? await Task.sleep(for: pause)
      }
    }
  }
}
