/// A few connections to one database; each statement goes to the one with the fewest pending.
///
/// ``run()`` owns the connections: statements fail until it runs, and after it ended.
public final class Pool: StatementExecutor {
  private let configuration: PostgresConfiguration
  private let connections: [Connection]
  private let gate: ConnectionGate
  private let stopRequests: AsyncStream<Never>
  private let stop: AsyncStream<Never>.Continuation

  /// Makes the connections without connecting them.
  ///
  /// - Parameter onEvent: Runs on the connections' threads, and should be quick.
  /// - Throws: ``PostgresError`` if the configuration cannot be used, or the system is out of
  ///   descriptors or threads.
  public init(
    configuration: PostgresConfiguration,
    onEvent: @escaping @Sendable (PoolEvent) -> Void = { _ in }
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
    self.gate = gate
    (stopRequests, stop) = AsyncStream.makeStream()
  }

  /// Connects, and stays connected until the task is cancelled or ``shutdown()`` is called; then
  /// waits for what is pending, up to `shutdownTimeout`, and closes. A pool runs once.
  public func run() async {
    for connection in connections { connection.start() }
    for await _ in stopRequests {}
    gate.close()
    await withTaskGroup(of: Void.self) { group in
      for connection in connections {
        group.addTask { await connection.close(waitingUpTo: self.configuration.shutdownTimeout) }
      }
    }
  }

  /// Has ``run()`` come to its end; returns at once.
  public func shutdown() { stop.finish() }

  /// Ends all that is queued or in flight with an error, and refuses statements with the same error, as
  /// ``PostgresError/Code/connectionUnavailable``, until ``resume()``.
  ///
  /// Every statement in flight fails with ``PostgresError/Code/connectionLost``: its outcome is unknown.
  public func suspend(because error: PostgresError) {
    for connection in connections { connection.suspend(because: error) }
  }

  /// Connects what is suspended or pauses before its next attempt, now.
  public func resume() {
    for connection in connections { connection.resume() }
  }

  /// Whether a connection is up, as far as is known.
  public var isConnected: Bool { connections.contains(where: \.isConnected) }

  /// How many statements and transactions are pending on all connections.
  public var pendingCount: Int { connections.reduce(0) { $0 + $1.pendingCount } }

  /// Waits until a connection is up.
  ///
  /// - Throws: ``PostgresError``: ``PostgresError/Code/timedOut``, ``PostgresError/Code/cancelled``,
  ///   or ``PostgresError/Code/closed`` when the pool is shut down.
  public func waitUntilConnected(timeout: Duration) async throws(PostgresError) {
    try await gate.wait(timeout: timeout) { self.isConnected }
  }

  /// Runs a statement on some connection and decodes each row of its answer.
  ///
  /// - Throws: ``PostgresError``; see ``StatementExecutor/query(_:_:_:)``.
  public func query<Value: Sendable>(
    _ statement: Statement,
    _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> [Value] {
    try await leastLoaded.query(statement, parameters, decode)
  }

  /// Runs a statement on some connection and returns how many rows it affected.
  ///
  /// - Throws: ``PostgresError``; see ``StatementExecutor/query(_:_:_:)``.
  @discardableResult
  public func execute(
    _ statement: Statement,
    _ parameters: Parameters
  ) async throws(PostgresError) -> Int {
    try await leastLoaded.execute(statement, parameters)
  }

  /// Hands a statement to some connection; see ``Connection/submit(_:completion:)``.
  ///
  /// - Throws: ``PostgresError``; see ``Connection/submit(_:completion:)``.
  public func submit(
    _ make: @escaping @Sendable () -> (Statement, Parameters)?,
    completion: @escaping @Sendable (Result<Rows, PostgresError>) -> Void
  ) throws(PostgresError) -> Submission {
    try leastLoaded.submit(make, completion: completion)
  }

  /// Runs a transaction on some connection; see ``Connection/withTransaction(_:_:)``.
  ///
  /// `body` should not wait for the pool itself: were all connections taken by such transactions,
  /// they would wait for each other.
  ///
  /// - Throws: ``PostgresError``; see ``Connection/withTransaction(_:_:)``.
  public func withTransaction<Value>(
    _ isolation: IsolationLevel = .readCommitted,
    _ body: (Transaction) async throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    try await leastLoaded.withTransaction(isolation, body)
  }

  private var leastLoaded: Connection {
    // Looked at once each: a load that changes meanwhile only makes the choice a little worse.
    connections.min { $0.load < $1.load } ?? connections[0]
  }
}
