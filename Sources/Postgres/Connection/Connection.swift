import Synchronization

/// One connection to PostgreSQL, on a thread of its own, with many statements in flight.
///
/// Statements are sent without waiting for the answers of those before them; each is a transaction
/// of its own. A connection that breaks comes back by itself, with pauses that grow; meanwhile
/// statements fail at once with ``PostgresError/Code/connectionUnavailable``, except that they wait
/// while an attempt to connect is under way. A ``Pool`` holds several.
public actor Connection {
  enum Command: Sendable {
    case start
    case submit(Request)
    case cancel(Cancellation)
    case cancelEnded(CancelRequest)
    case release(Lease)
    case suspend(PostgresError)
    case resume
    case close(deadline: ContinuousClock.Instant, completion: @Sendable () -> Void)
  }

  enum Link {
    case notStarted(waitingSince: ContinuousClock.Instant?)
    case connecting(LibpqConnection, LibpqConnection.Progress, deadline: ContinuousClock.Instant)
    /// There is a session; its settings are on their way.
    case settingUp(deadline: ContinuousClock.Instant)
    case ready
    case pausing(until: ContinuousClock.Instant, because: PostgresError)
    case suspended(because: PostgresError)
    case closed
  }

  struct Closing {
    var deadline: ContinuousClock.Instant
    var completions: [@Sendable () -> Void]
    /// The request to cancel what the server was still executing, which delays the end a little.
    var cancelRequest: CancelRequest?
  }

  /// What other threads know of the link.
  enum Availability: UInt8, AtomicRepresentable {
    case up
    case underWay
    case away
  }

  nonisolated let configuration: PostgresConfiguration
  nonisolated let connectionString: ConnectionString
  nonisolated let onEvent: @Sendable (PoolEvent) -> Void
  nonisolated let onNotification: (@Sendable (PostgresNotification) -> Void)?
  nonisolated let admission: Admission
  /// How many have the connection alone, or wait for that.
  nonisolated let leaseCount = Atomic(0)
  private nonisolated let thread: ConnectionThread
  private nonisolated let inbox = Locked<[Command]>([])
  private nonisolated let availability = Atomic(Availability.away)

  var link = Link.notStarted(waitingSince: nil) {
    didSet { availability.store(link.availability, ordering: .releasing) }
  }
  /// What ``Link/settingUp(deadline:)`` and ``Link/ready`` stand for; apart from them, to be changed
  /// in place.
  var session: Session?
  var backlog = Backlog()
  var backoff: Backoff
  var closing: Closing?

  /// The connection's thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  /// Prepares a connection, which ``start()`` begins to make.
  ///
  /// - Parameters:
  ///   - configuration: Of it, `connectionCount` and `shutdownTimeout` are for pools.
  ///   - onEvent: Runs on the connection's thread, and should be quick.
  ///   - onNotification: The same, for what comes on the channels that the session listens on; see
  ///     ``NotificationListener``.
  /// - Throws: ``PostgresError`` if the configuration cannot be used, or the system is out of
  ///   descriptors or threads.
  public init(
    configuration: PostgresConfiguration,
    onEvent: @escaping @Sendable (PoolEvent) -> Void = { _ in },
    onNotification: (@Sendable (PostgresNotification) -> Void)? = nil
  ) throws(PostgresError) {
    self.configuration = configuration
    self.onEvent = onEvent
    self.onNotification = onNotification
    connectionString = try configuration.connectionString()
    admission = Admission(limit: configuration.maximumPending)
    backoff = Backoff(
      minimum: configuration.minimumBackoff,
      maximum: configuration.maximumBackoff
    )
    thread = try ConnectionThread()
    try thread.start { [weak self] readiness in
      self?.assumeIsolated { $0.turn(readiness) } ?? ConnectionThread.Wait()
    }
  }

  /// Whether the connection is up, as far as is known.
  public nonisolated var isConnected: Bool {
    availability.load(ordering: .acquiring) == .up
  }

  /// Ends all that is queued or in flight with an error, closes the connection, and refuses statements
  /// with the same error, as ``PostgresError/Code/connectionUnavailable``, until ``resume()``.
  public nonisolated func suspend(because error: PostgresError) { post(.suspend(error)) }

  /// Connects again, now, if the connection is suspended or pauses before its next attempt.
  public nonisolated func resume() { post(.resume) }

  /// How many statements and transactions are queued or in flight.
  public nonisolated var pendingCount: Int { admission.count }

  /// Begins to connect, and to reconnect whenever the connection breaks; once.
  public nonisolated func start() { post(.start) }

  /// Closes the connection for good: new statements fail with ``PostgresError/Code/closed`` at
  /// once, and those pending have `timeout` to finish.
  public nonisolated func close(waitingUpTo timeout: Duration = .zero) async {
    await withCheckedContinuation { continuation in
      post(.close(deadline: .now + timeout) { continuation.resume() })
    }
  }

  // What weighs as much as how many pending statements: to wait for an attempt to connect; to wait
  // for whoever has the connection alone; to fail.
  private static let connectingWeight = 8
  private static let leaseWeight = 16
  private static let awayWeight = 1 << 32

  /// How much there is against giving a statement to this connection, for a pool to choose by.
  nonisolated var load: Int {
    let weight =
      switch availability.load(ordering: .acquiring) {
      case .up: 0
      case .underWay: Self.connectingWeight
      case .away: Self.awayWeight
      }
    return admission.count + leaseCount.load(ordering: .relaxed) * Self.leaseWeight + weight
  }

  nonisolated func post(_ command: Command) {
    inbox.withLock { $0.append(command) }
    thread.wake()
  }

  func takeCommands() -> [Command] {
    inbox.withLock { commands in
      defer { commands = [] }
      return commands
    }
  }
}

extension Connection.Link {
  fileprivate var availability: Connection.Availability {
    switch self {
    case .ready: .up
    case .connecting, .settingUp: .underWay
    case .notStarted, .pausing, .suspended, .closed: .away
    }
  }
}
