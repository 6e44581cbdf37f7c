internal import NIOConcurrencyHelpers
import Synchronization

/// A connection to PostgreSQL, on a thread of its own, with many statements in flight.
///
/// Statements are pipelined: each is sent without waiting for the results of earlier ones, and each
/// is a transaction of its own. A lost connection is reestablished with growing pauses. During a
/// pause, statements fail at once with ``PostgresError/Code/connectionUnavailable``; during an
/// attempt to connect, they wait. A ``Pool`` holds several connections.
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
    /// The connection is established, and the statement with its settings was sent.
    case settingUp(deadline: ContinuousClock.Instant)
    case ready
    case pausing(until: ContinuousClock.Instant, because: PostgresError)
    case suspended(because: PostgresError)
    case closed
  }

  struct Closing {
    var deadline: ContinuousClock.Instant
    var completions: [@Sendable () -> Void]
    /// The last cancel request, for the statements that were executing; closing waits for it.
    var cancelRequest: CancelRequest?
  }

  /// The state of the link as other threads see it.
  enum Availability: UInt8, AtomicRepresentable {
    case up
    case connecting
    case unavailable
  }

  nonisolated let configuration: PostgresConfiguration
  nonisolated let connectionString: ConnectionString
  /// The parameters for each host.
  nonisolated let hosts: [ConnectionString]
  nonisolated let onEvent: @Sendable (PoolEvent) -> Void
  nonisolated let onNotification: (@Sendable (PostgresNotification) -> Void)?
  nonisolated let admission: Admission
  private nonisolated let thread: ConnectionThread
  private nonisolated let inbox = NIOLockedValueBox<[Command]>([])
  private nonisolated let availability = Atomic(Availability.unavailable)
  private nonisolated let oldest = AtomicInstant()
  private nonisolated let oldestWrite = AtomicInstant()

  var link = Link.notStarted(waitingSince: nil) {
    didSet { availability.store(link.availability, ordering: .releasing) }
  }
  /// The session in ``Link/settingUp(deadline:)`` and ``Link/ready``; outside of ``link`` so that
  /// it can be mutated in place.
  var session: Session?
  var backlog = Backlog()
  var backoff: Backoff
  /// The hosts that the attempt to connect has still to try, with the one that it tries now first.
  var remainingHosts: [Int] = []
  /// The failures of the hosts that the current attempt to connect has tried.
  var hostFailures: [(host: String, error: PostgresError)] = []
  var closing: Closing?
  /// The number of threads that send a cancel request: 0 or 1.
  var cancelThreads = 0

  /// The executor that runs the actor on the connection's thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  /// Creates a connection, which ``start()`` connects.
  ///
  /// - Parameters:
  ///   - configuration: The address and limits; `connectionCount` and `shutdownTimeout` are not
  ///     used.
  ///   - onEvent: Receives the connection's events. Runs on the connection's thread and must not
  ///     block.
  ///   - onNotification: Receives the notifications of the channels that the session listens on.
  ///     Runs on the connection's thread and must not block. See ``NotificationListener``.
  /// - Throws: ``PostgresError`` if the configuration is invalid, or no file descriptor or thread
  ///   can be created.
  public init(
    configuration: PostgresConfiguration,
    onEvent: @escaping @Sendable (PoolEvent) -> Void = { _ in },
    onNotification: (@Sendable (PostgresNotification) -> Void)? = nil
  ) throws(PostgresError) {
    self.configuration = configuration
    self.onEvent = onEvent
    self.onNotification = onNotification
    connectionString = try configuration.connectionString()
    hosts = connectionString.hosts
    admission = Admission(limit: configuration.maximumPending)
    backoff = Backoff(
      minimum: configuration.minimumBackoff,
      maximum: configuration.maximumBackoff
    )
    thread = try ConnectionThread()
    try thread.start { [weak self] readiness in
      self?.assumeIsolated { $0.tick(readiness) } ?? ConnectionThread.Wait()
    }
  }

  /// A Boolean value that indicates whether the connection was established when it was last used.
  public nonisolated var isConnected: Bool {
    availability.load(ordering: .acquiring) == .up
  }

  /// Fails everything that is pending with an error, and closes the connection until ``resume()``.
  ///
  /// Until then, new statements fail with the same error as
  /// ``PostgresError/Code/connectionUnavailable``.
  public nonisolated func suspend(because error: PostgresError) { post(.suspend(error)) }

  /// Reconnects at once if the connection is suspended or pauses before its next attempt.
  public nonisolated func resume() { post(.resume) }

  /// The time since the oldest statement in flight that may write was sent; nil if there is none.
  public nonisolated var oldestWriteAge: Duration? { oldestWrite.age }

  func publishAges() {
    oldest.store(session?.pipeline.oldest)
    oldestWrite.store(session?.pipeline.oldestWrite)
  }

  /// The number of statements and transactions that are queued or in flight.
  public nonisolated var pendingCount: Int { admission.count }

  /// Connects, and from then on reconnects whenever the connection is lost; has an effect only
  /// once.
  public nonisolated func start() { post(.start) }

  /// Closes the connection permanently, once pending statements have ended or `timeout` has passed.
  ///
  /// New statements fail at once with ``PostgresError/Code/closed``.
  public nonisolated func close(waitingUpTo timeout: Duration = .zero) async {
    await withCheckedContinuation { continuation in
      post(.close(deadline: .now + timeout) { continuation.resume() })
    }
  }

  // The costs of waiting for an attempt to connect, and of failing, each as a number of pending
  // statements.
  private static let connectingWeight = 8
  private static let unavailableWeight = 1 << 32

  /// The age of the oldest statement in flight that counts as one more statement, since the next
  /// one has to wait for it: a slow statement does not hold up what another connection can run.
  private static let ageUnit = Duration.milliseconds(10)

  /// The cost of a statement on this connection; a pool chooses the connection with the least.
  nonisolated var load: Int {
    let weight =
      switch availability.load(ordering: .acquiring) {
      case .up: 0
      case .connecting: Self.connectingWeight
      case .unavailable: Self.unavailableWeight
      }
    return admission.count + weight + Int((oldest.age ?? .zero) / Self.ageUnit)
  }

  nonisolated func post(_ command: Command) {
    inbox.withLockedValue { $0.append(command) }
    thread.wake()
  }

  func takeCommands() -> [Command] {
    inbox.withLockedValue { commands in
      defer { commands = [] }
      return commands
    }
  }
}

extension Connection.Link {
  fileprivate var availability: Connection.Availability {
    switch self {
    case .ready: .up
    case .connecting, .settingUp: .connecting
    case .notStarted, .pausing, .suspended, .closed: .unavailable
    }
  }
}
