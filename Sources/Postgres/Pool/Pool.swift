internal import NIOConcurrencyHelpers

/// A pool of connections to one database.
///
/// Half of the connections, rounded down, run the statements that only read, and the others run
/// everything else. A single connection runs both. Each statement goes to the least loaded
/// connection that runs its kind. If none of these is established, it goes to another connection
/// that is. Transactions of several statements run on a ``Connection`` of their own.
///
/// The connections exist while ``run()`` runs: statements fail before and after.
///
/// The pool can be divided into lanes, so that statements that hang hold up only the statements of
/// their lane; see ``divide(into:)``.
public final class Pool: StatementExecutor {
  package let configuration: PostgresConfiguration
  private let connections: [Connection]
  /// The connections that run statements that only read.
  private let readers: ArraySlice<Connection>
  /// The connections that run everything else.
  private let writers: ArraySlice<Connection>
  private let gate: ConnectionGate
  private let onEvent: @Sendable (PoolEvent) -> Void
  private let apartPool: Pool?
  /// The lanes, or nil until ``divide(into:)`` is called.
  ///
  /// A pool with one lane has none.
  private let lanes = NIOLockedValueBox<[Pool]?>(nil)
  /// The lanes that ``run()`` has to run; the stream ends at the shutdown.
  private let newLanes: AsyncStream<Pool>
  private let laneSink: AsyncStream<Pool>.Continuation

  /// The pool for statements that have met a lock: one more connection, so that they wait for the
  /// lock without holding up other statements.
  ///
  /// It runs, is suspended and shuts down with this pool. Without
  /// ``PostgresConfiguration/lockTimeout``, it is this pool itself.
  public var apart: Pool { apartPool ?? self }

  /// Creates a pool, whose connections ``run()`` establishes.
  ///
  /// - Parameters:
  ///   - configuration: The address of the database and the limits of the connections.
  ///   - onEvent: Receives the events of the connections. Runs on their threads and must not block.
  /// - Throws: ``PostgresError`` if the configuration is invalid, or no file descriptor or thread
  ///   can be created.
  public convenience init(
    configuration: PostgresConfiguration,
    onEvent: @escaping @Sendable (PoolEvent) -> Void = { _ in }
  ) throws(PostgresError) {
    try self.init(configuration, readerCount: configuration.connectionCount / 2, onEvent)
  }

  /// - Parameter readerCount: The number of connections that run only statements that read; with
  ///   zero, each connection runs everything.
  private init(
    _ configuration: PostgresConfiguration, readerCount: Int = 0, isApart: Bool = false,
    _ onEvent: @escaping @Sendable (PoolEvent) -> Void
  ) throws(PostgresError) {
    _ = try configuration.connectionString()
    let gate = ConnectionGate()
    var connections: [Connection] = []
    for _ in 0..<configuration.connectionCount {
      connections.append(
        try Connection(configuration: configuration) { event in
          if case .connected = event { gate.open() }
          onEvent(event)
        }
      )
    }
    self.configuration = configuration
    self.connections = connections
    readers = readerCount == 0 ? connections[...] : connections[..<readerCount]
    writers = connections[readerCount...]
    self.gate = gate
    self.onEvent = onEvent
    if configuration.lockTimeout != nil, !isApart {
      var configuration = configuration
      configuration.connectionCount = 1
      apartPool = try Pool(configuration, isApart: true, onEvent)
    } else {
      apartPool = nil
    }
    (newLanes, laneSink) = AsyncStream.makeStream()
  }

  /// Divides the pool into lanes, each with connections of its own; can have an effect only once.
  ///
  /// A lane has its share of `connectionCount`, but at least one connection, one more for
  /// statements that only read, and a pool ``apart``. The pool keeps its own connections for
  /// statements that belong to no lane.
  ///
  /// - Parameters:
  ///   - count: The number of lanes; with less than 2, the pool remains one.
  ///   - configure: Changes the configuration of the lanes' connections.
  /// - Throws: ``PostgresError`` if no file descriptor or thread can be created.
  public func divide(
    into count: Int, configure: (inout PostgresConfiguration) -> Void = { _ in }
  ) throws(PostgresError) {
    guard lanes.withLockedValue({ $0 == nil }) else { return }
    var configuration = configuration
    configuration.connectionCount = 1 + max(configuration.connectionCount / max(count, 1), 1)
    configure(&configuration)
    var made: [Pool] = []
    for _ in 0..<(count > 1 ? count : 0) {
      made.append(try Pool(configuration, readerCount: 1, onEvent))
    }
    let isFirst = lanes.withLockedValue { lanes in
      guard lanes == nil else { return false }
      lanes = made
      return true
    }
    if isFirst { for lane in made { laneSink.yield(lane) } }
  }

  /// The number of lanes; nil until ``divide(into:)`` is called.
  public var laneCount: Int? { lanes.withLockedValue { $0.map { max($0.count, 1) } } }

  /// Returns the lane of a number, modulo the number of lanes; this pool if it is not divided.
  public func lane(_ number: Int) -> Pool {
    lanes.withLockedValue { lanes in
      guard let lanes, !lanes.isEmpty else { return self }
      return lanes[number % lanes.count]
    }
  }

  /// The pools that run, are suspended and shut down with this one.
  private var parts: [Pool] { lanes.withLockedValue { $0 ?? [] } + [apartPool].compactMap(\.self) }

  /// Connects, and keeps the connections until the task is cancelled or ``shutdown()`` is called.
  ///
  /// Then it waits up to `shutdownTimeout` for pending statements, and closes the connections. Can
  /// be called only once.
  public func run() async {
    for connection in connections { connection.start() }
    await withTaskGroup(of: Void.self) { group in
      if let apartPool { group.addTask { await apartPool.run() } }
      for await lane in newLanes { group.addTask { await lane.run() } }
      for part in parts { part.shutdown() }
      gate.close()
      for connection in connections {
        group.addTask { await connection.close(waitingUpTo: self.configuration.shutdownTimeout) }
      }
    }
  }

  /// Makes ``run()`` shut down; does not wait for it.
  public func shutdown() { laneSink.finish() }

  /// Fails everything that is pending with an error, and closes all connections until ``resume()``.
  ///
  /// Statements in flight fail with ``PostgresError/Code/connectionLost``, because their outcome is
  /// unknown. New statements fail with the same error as
  /// ``PostgresError/Code/connectionUnavailable``.
  public func suspend(because error: PostgresError) {
    for connection in connections { connection.suspend(because: error) }
    for part in parts { part.suspend(because: error) }
  }

  /// Reconnects the connections that are suspended or pause before their next attempt, at once.
  public func resume() {
    for connection in connections { connection.resume() }
    for part in parts { part.resume() }
  }

  /// A Boolean value that indicates whether at least one connection is established.
  public var isConnected: Bool { connections.contains(where: \.isConnected) }

  /// The number of statements and transactions that are pending on all connections.
  public var pendingCount: Int {
    connections.reduce(0) { $0 + $1.pendingCount } + parts.reduce(0) { $0 + $1.pendingCount }
  }

  /// The time since the oldest statement in flight that may write was sent, on any connection; nil
  /// if there is none.
  public var oldestWriteAge: Duration? {
    (connections.map(\.oldestWriteAge) + parts.map(\.oldestWriteAge)).compactMap(\.self).max()
  }

  /// Waits until a connection is established.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/timedOut``,
  ///   ``PostgresError/Code/cancelled``, or ``PostgresError/Code/closed`` if the pool is shut down.
  public func waitUntilConnected(timeout: Duration) async throws(PostgresError) {
    try await gate.wait(timeout: timeout) { self.isConnected }
  }

  /// Runs a statement on one of the connections and decodes each row of its result.
  ///
  /// - Throws: ``PostgresError``; see ``StatementExecutor/query(_:_:_:)``.
  public func query<Value: Sendable>(
    _ statement: Statement,
    _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> [Value] {
    try await leastLoaded(for: statement).query(statement, parameters, decode)
  }

  /// Runs a statement on one of the connections and returns the number of affected rows.
  ///
  /// - Throws: ``PostgresError``; see ``StatementExecutor/query(_:_:_:)``.
  @discardableResult
  public func execute(
    _ statement: Statement,
    _ parameters: Parameters
  ) async throws(PostgresError) -> Int {
    try await leastLoaded(for: statement).execute(statement, parameters)
  }

  /// Submits a statement to one of the connections; see ``Connection/submit(_:completion:)``.
  ///
  /// - Throws: ``PostgresError``; see ``Connection/submit(_:completion:)``.
  public func submit(
    _ make: @escaping @Sendable () -> (Statement, Parameters)?,
    completion: @escaping @Sendable (Result<Rows, PostgresError>) -> Void
  ) throws(PostgresError) -> Submission {
    try leastLoaded().submit(make, completion: completion)
  }

  /// Returns the connection for a statement, or for other work if it is nil.
  private func leastLoaded(for statement: Statement? = nil) -> Connection {
    // A connection cancels a statement that reads only if none that may write is behind it.
    // Therefore a report that nobody waits for any more would hold up the writes of its connection.
    let choice = statement?.isReadOnly ?? false ? readers : writers
    // The loads may change while they are compared, which only makes the choice slightly worse.
    // The database may admit fewer connections than the pool has.
    return choice.lazy.filter(\.isConnected).min { $0.load < $1.load }
      ?? connections.lazy.filter(\.isConnected).min { $0.load < $1.load }
      ?? choice.min { $0.load < $1.load } ?? connections[0]
  }
}

/// An event of a connection, for a log.
public enum PoolEvent: Sendable {
  /// A connection was established, possibly through a pooler such as pgbouncer or Supavisor.
  case connected(throughPooler: Bool)
  /// An attempt to connect failed; the next one starts after the pause.
  case connectionFailed(PostgresError, retryIn: Duration)
  /// An established connection was lost; the next attempt to connect starts after the pause.
  case connectionLost(PostgresError, retryIn: Duration)
  /// The server sent a notice.
  case notice(PostgresNotice)
}
