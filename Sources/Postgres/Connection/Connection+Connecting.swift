extension Connection {
  /// Starts an attempt to connect.
  func beginConnecting() {
    let sink = NoticeSink { [onEvent] notice in onEvent(.notice(notice)) }
    guard let libpq = LibpqConnection(connectionString, notices: sink) else {
      return connectingFailed("out of memory")
    }
    guard !libpq.isBroken else { return connectingFailed(libpq.errorMessage) }
    link = .connecting(libpq, .writing, deadline: .now + configuration.connectTimeout)
  }

  /// Continues an attempt to connect if the socket is ready for its next step.
  func continueConnecting(
    _ libpq: LibpqConnection,
    _ progress: LibpqConnection.Progress,
    _ deadline: ContinuousClock.Instant,
    _ readiness: ConnectionThread.Readiness
  ) {
    guard deadline > .now else { return connectingFailed("the attempt to connect timed out") }
    let isReady = progress == .reading ? readiness.canRead : readiness.canWrite
    guard isReady else { return }
    switch libpq.connect() {
    case .failed:
      connectingFailed(libpq.errorMessage)
    case .connected:
      guard libpq.enterPipelineMode() else { return connectingFailed(libpq.errorMessage) }
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
  /// The settings are not in the startup packet, because poolers reject unknown parameters in it.
  private func setUp(_ libpq: LibpqConnection, _ deadline: ContinuousClock.Instant) {
    session = Session(libpq: libpq, maximumPrepared: configuration.maximumPrepared)
    link = .settingUp(deadline: deadline)
    let lease = Lease()
    let request = Request(
      .statement(setUpStatement, [libpq.backendProcessID]),
      effect: .boundary, lease: lease.id
    ) { [weak self] result in
      let isDirect = Result { () throws(PostgresError) in
        try result.get()?.rows { row throws(PostgresError) in try row.decode(Bool.self, at: 0) }
          == [true]
      }
      self?.assumeIsolated { $0.setUpFinished(isDirect) }
    }
    // Sent before all waiting requests.
    backlog.grant(lease)
    _ = backlog.append(request)
  }

  private var setUpStatement: Statement {
    let settings = configuration.sessionSettings.map {
      ", CASE WHEN is_direct THEN \(setConfig($0, isLocal: false)) END"
    }
    return Statement(
      """
      SELECT is_direct\(settings.joined())
      FROM (SELECT pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1 AS is_direct) AS s
      """)
  }

  private func setConfig(_ setting: (name: String, value: String), isLocal: Bool) -> String {
    let value = setting.value.replacing("'", with: "''")
    return "pg_catalog.set_config('\(setting.name)', '\(value)', \(isLocal))"
  }

  private func setUpFinished(_ isDirect: Result<Bool, PostgresError>) {
    guard case .settingUp = link else { return }
    switch isDirect {
    case .success(let isDirect):
      if !isDirect { session?.usePooler(prelude: prelude) }
      _ = backlog.release()
      link = .ready
      backoff.succeeded()
      onEvent(.connected(throughPooler: !isDirect))
    case .failure(let error):
      connectingFailed(error)
    }
  }

  private var prelude: String {
    "SELECT "
      + configuration.sessionSettings.map { setConfig($0, isLocal: true) }.joined(separator: ", ")
  }

  func connectingFailed(_ reason: String) {
    connectingFailed(
      PostgresError(
        .connectionUnavailable,
        "the database is not reachable",
        detail: connectionString.redact(reason)))
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
