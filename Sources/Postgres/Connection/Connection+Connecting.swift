import Synchronization

extension Connection {
  /// Starts an attempt to connect: tries the hosts one after the other.
  func beginConnecting() {
    remainingHosts = configuration.hostPreference.order(of: hosts.count)
    hostFailures = []
    connectToHost()
  }

  /// Starts to connect to the first of the remaining hosts.
  private func connectToHost() {
    let sink = NoticeSink { [onEvent] notice in onEvent(.notice(notice)) }
    guard let host = remainingHosts.first,
      let libpq = LibpqConnection(hosts[host], notices: sink)
    else { return connectingFailed("out of memory") }
    guard !libpq.isBroken else { return hostFailed(libpq.errorMessage) }
    link = .connecting(libpq, .writing, deadline: .now + configuration.connectTimeout)
  }

  /// Continues an attempt to connect if the socket is ready for its next step.
  func continueConnecting(
    _ libpq: LibpqConnection,
    _ progress: LibpqConnection.Progress,
    _ deadline: ContinuousClock.Instant,
    _ readiness: ConnectionThread.Readiness
  ) {
    guard deadline > .now else { return hostFailed("the attempt to connect timed out") }
    let isReady = progress == .reading ? readiness.canRead : readiness.canWrite
    guard isReady else { return }
    switch libpq.connect() {
    case .failed:
      hostFailed(libpq.errorMessage)
    case .connected:
      guard libpq.enterPipelineMode() else { return hostFailed(libpq.errorMessage) }
      setUp(libpq, deadline)
    case let progress:
      link = .connecting(libpq, progress, deadline: deadline)
    }
  }

  /// Applies the session settings, and detects a pooler.
  ///
  /// The statement compares the process id of the backend that executes it with the id that the
  /// connection received at its start. Behind a pooler, the two differ. The clients of a pooler
  /// share its sessions, so the settings are then made local to each transaction.
  ///
  /// It also finds out whether the session can write.
  ///
  /// The settings are not in the startup packet, because poolers reject unknown parameters in it.
  private func setUp(_ libpq: LibpqConnection, _ deadline: ContinuousClock.Instant) {
    session = Session(libpq: libpq, maximumPrepared: configuration.maximumPrepared)
    link = .settingUp(deadline: deadline)
    let lease = Lease()
    let request = Request(
      .statement(setUpStatement, [libpq.backendProcessID]),
      effect: .boundary, lease: lease.id
    ) { [weak self] result in
      let facts = Result { () throws(PostgresError) in
        guard
          let facts = try result.get()?.rows({ row throws(PostgresError) in
            SessionFacts(
              isDirect: try row.decode(Bool.self, at: 0),
              isReadOnly: try row.decode(Bool.self, at: 1),
              isStandby: try row.decode(Bool.self, at: 2))
          }).first
        else { throw PostgresError(.protocolViolation, "the session has no settings") }
        return facts
      }
      self?.assumeIsolated { $0.setUpFinished(facts) }
    }
    // Sent before all waiting requests.
    backlog.grant(lease)
    _ = backlog.append(request)
  }

  private struct SessionFacts {
    var isDirect: Bool
    var isReadOnly: Bool
    var isStandby: Bool
  }

  private var setUpStatement: Statement {
    let settings = configuration.sessionSettings.map {
      ", CASE WHEN is_direct THEN \(setConfig($0, isLocal: false)) END"
    }
    return Statement(
      """
      SELECT is_direct,
        pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on',
        pg_catalog.pg_is_in_recovery()\(settings.joined())
      FROM (SELECT pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1 AS is_direct) AS s
      """)
  }

  private func setConfig(_ setting: (name: String, value: String), isLocal: Bool) -> String {
    let value = setting.value.replacing("'", with: "''")
    return "pg_catalog.set_config('\(setting.name)', '\(value)', \(isLocal))"
  }

  private func setUpFinished(_ facts: Result<SessionFacts, PostgresError>) {
    guard case .settingUp = link else { return }
    switch facts {
    case .success(let facts) where facts.isReadOnly && configuration.targetSession == .readWrite:
      hostFailed(.readOnlySession(isStandby: facts.isStandby))
    case .success(let facts):
      if !facts.isDirect { session?.usePooler(prelude: prelude) }
      _ = backlog.release()
      link = .ready
      backoff.succeeded()
      if let host = remainingHosts.first { configuration.hostPreference.worked(host) }
      onEvent(.connected(throughPooler: !facts.isDirect))
    case .failure(let error):
      hostFailed(error)
    }
  }

  private var prelude: String {
    "SELECT "
      + configuration.sessionSettings.map { setConfig($0, isLocal: true) }.joined(separator: ", ")
  }

  /// Tries the next host; if there is none, the attempt to connect has failed.
  func hostFailed(_ reason: String) {
    hostFailed(
      PostgresError(
        .connectionUnavailable,
        "the database is not reachable",
        detail: connectionString.redact(reason)))
  }

  private func hostFailed(_ error: PostgresError) {
    if let host = remainingHosts.first { hostFailures.append((hosts[host].hostName, error)) }
    remainingHosts = Array(remainingHosts.dropFirst())
    guard !remainingHosts.isEmpty else { return connectingFailed(attemptError(error)) }
    _ = session?.broke()
    session = nil
    _ = backlog.release()
    connectToHost()
  }

  /// The error of an attempt to connect that has failed at all hosts, the last one with `error`.
  private func attemptError(_ error: PostgresError) -> PostgresError {
    guard hosts.count > 1 else { return error }
    // That a host answered, but cannot write, says more than that another one did not answer.
    if let failure = hostFailures.first(where: { $0.error.sqlState == .readOnlyTransaction }) {
      return failure.error
    }
    let details = hostFailures.map { "\($0.host): \($0.error.detail ?? $0.error.message)" }
    return PostgresError(
      .connectionUnavailable, "the database is not reachable",
      detail: details.joined(separator: "; "))
  }

  private func connectingFailed(_ reason: String) {
    connectingFailed(
      PostgresError(.connectionUnavailable, "the database is not reachable", detail: reason))
  }

  private func connectingFailed(_ error: PostgresError) {
    _ = session?.broke()
    session = nil
    _ = backlog.release()
    let error = error.recoded(.connectionUnavailable)
    let pause = backoff.failed(randomFraction: configuration.randomFraction())
    link = .pausing(until: .now + pause, because: error)
    for request in backlog.removeGeneral() { complete(request, .failure(error)) }
    onEvent(.connectionFailed(error, retryIn: pause))
  }
}

/// The exponential, bounded, jittered pauses between attempts to connect.
struct Backoff: Sendable {
  let minimum: Duration
  let maximum: Duration
  private var failures = 0

  init(minimum: Duration, maximum: Duration) {
    self.minimum = minimum
    self.maximum = maximum
  }

  /// Records a failure and returns the pause, which is between half of the step and the whole step.
  mutating func failed(randomFraction: Double) -> Duration {
    // Any minimum times 2^30 exceeds every sensible maximum.
    let step = min(minimum * (1 << min(failures, 30)), maximum)
    failures += 1
    return step / 2 + step / 2 * min(max(randomFraction, 0), 1)
  }

  /// Resets the pauses after a success.
  mutating func succeeded() {
    failures = 0
  }
}

/// The host of a database URL that worked last, shared by all connections of a configuration.
final class HostPreference: Sendable {
  private let index = Atomic(0)

  /// Returns the order in which to try `count` hosts: the one that worked last, and those after it.
  func order(of count: Int) -> [Int] {
    let first = index.load(ordering: .relaxed)
    guard first < count else { return Array(0..<count) }
    return Array(first..<count) + Array(0..<first)
  }

  /// Records that a host has worked.
  func worked(_ host: Int) { index.store(host, ordering: .relaxed) }
}
