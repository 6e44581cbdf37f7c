extension Connection {
  /// Begins an attempt to connect.
  func beginConnecting() {
    let sink = NoticeSink { [onEvent] notice in onEvent(.notice(notice)) }
    guard let libpq = LibpqConnection(connectionString, notices: sink) else {
      return connectingFailed("out of memory")
    }
    guard !libpq.isBroken else { return connectingFailed(libpq.errorMessage) }
    link = .connecting(libpq, .writing, deadline: .now + configuration.connectTimeout)
  }

  /// Takes the next step of an attempt, if the socket is ready for it.
  func continueConnecting(
    _ libpq: LibpqConnection,
    _ progress: LibpqConnection.Progress,
    _ deadline: ContinuousClock.Instant,
    _ readiness: ConnectionThread.Readiness
  ) {
    guard deadline > .now else { return connectingFailed("it took too long") }
    let isReady = progress == .reading ? readiness.canRead : readiness.canWrite
    guard isReady else { return }
    switch libpq.connect() {
    case .failed:
      connectingFailed(libpq.errorMessage)
    case .connected:
      guard libpq.enterPipelineMode() else { return connectingFailed(libpq.errorMessage) }
      connected(libpq)
    case let progress:
      link = .connecting(libpq, progress, deadline: deadline)
    }
  }

  private func connected(_ libpq: LibpqConnection) {
    session = Session(libpq: libpq, maximumPrepared: configuration.maximumPrepared)
    link = .ready
    backoff.succeeded()
    onEvent(.connected)
  }

  private func connectingFailed(_ reason: String) {
    let error = PostgresError(
      .connectionUnavailable,
      "The database is not reachable.",
      detail: connectionString.redact(reason)
    )
    let pause = backoff.failed(randomFraction: configuration.randomFraction())
    link = .pausing(until: .now + pause, because: error)
    for request in backlog.removeGeneral() { complete(request, .failure(error)) }
    onEvent(.connectionFailed(error, retryIn: pause))
  }
}
