extension Connection {
  /// Receives results, sends requests and sends a cancel request, over an established connection.
  func work(_ readiness: ConnectionThread.Readiness) {
    let isOpen = readiness.canRead ? session?.libpq.consumeInput() ?? false : true
    // Results that arrived before the connection was lost are still valid.
    guard receive(), session != nil else { return }
    if session?.isToBeClosed == true, session?.pipeline.isEmpty == true {
      return lose("the session cannot write")
    }
    receiveNotifications()
    guard isOpen, session?.libpq.isBroken == false else { return lose(connectionErrorMessage) }
    guard send() else { return }
    guard session?.flush() == true else { return lose(connectionErrorMessage) }
    if session?.isCancelOverdue(now: .now) == true {
      return lose("the server does not answer a cancel request")
    }
    if cancelThreads == 0, session?.hasOutput == false,
      let request = session?.cancelRequestIfDue(now: .now), !start(request)
    {
      session?.cancelEnded(request, now: .now)
    }
  }

  private var connectionErrorMessage: String { session?.libpq.errorMessage ?? "" }

  /// Takes all available results; returns false if the connection was lost.
  private func receive() -> Bool {
    while let received = session?.receive() {
      switch received {
      case .finished(let request, let result):
        // The host has become a standby, or read-only: another host may be writable.
        if case .failure(let error) = result, error.sqlState == .readOnlyTransaction,
          configuration.targetSession == .readWrite
        {
          session?.isToBeClosed = true
        }
        complete(request, result.map { $0 })
      case .sendAgain(let request):
        backlog.putBack(request)
      case .broken(let reason):
        lose(reason)
        return false
      }
    }
    return true
  }

  /// Passes on the notifications of the channels that the session listens on.
  private func receiveNotifications() {
    guard let onNotification else { return }
    while let notification = session?.libpq.nextNotification() { onNotification(notification) }
  }

  /// Sends all requests that may be sent now; returns false if the connection was lost.
  private func send() -> Bool {
    while let request = backlog.next,
      session?.accepts(request, maximumInFlight: configuration.maximumInFlight) == true
    {
      backlog.removeNext()
      guard !request.cancellation.isRequested, let resolved = request.resolved() else {
        complete(request, .failure(PostgresError(.cancelled, "the task was cancelled")))
        continue
      }
      if case .lease(let lease) = request.work {
        backlog.grant(lease)
        complete(request, .success(nil))
        continue
      }
      do throws(PostgresError) {
        guard try session?.send(resolved) == true else {
          failUnsent(resolved)
          return false
        }
      } catch {
        complete(resolved, .failure(error))
      }
    }
    return true
  }

  /// Fails a request that libpq took only in part: the sync that would commit it was not sent.
  private func failUnsent(_ request: Request) {
    let error = unavailable(connectionErrorMessage)
    // A COMMIT takes effect without a sync.
    complete(request, .failure(request.effect == .commit ? error.recoded(.connectionLost) : error))
    lose(connectionErrorMessage)
  }

  private func unavailable(_ reason: String) -> PostgresError {
    PostgresError(
      .connectionUnavailable,
      "the database is not reachable",
      detail: connectionString.redact(reason)
    )
  }

  /// Drops the connection, fails the requests that depended on it, and schedules a reconnection.
  func lose(_ reason: String) {
    if case .settingUp = link { return hostFailed(reason) }
    let error = PostgresError(
      .connectionLost,
      "the connection to the database was lost",
      detail: connectionString.redact(reason)
    )
    let pause = backoff.failed(randomFraction: configuration.randomFraction())
    // Set first, so that callers whose requests fail see the connection as unavailable.
    link = .pausing(until: .now + pause, because: error)
    onEvent(.connectionLost(error, retryIn: pause))
    failEverything(error)
    for request in backlog.removeGeneral() { complete(request, .failure(unavailable(reason))) }
  }

  /// Fails the requests that are in flight, and those that the lease's holder has queued, because
  /// the connection is gone.
  func failEverything(
    _ lost: PostgresError = PostgresError(.connectionLost, "the connection was closed")
  ) {
    let unaffected = lost.recoded(.connectionUnavailable)
    var broken = session
    session = nil
    for (request, fate) in broken?.broke() ?? [] {
      let error: PostgresError =
        switch (fate, request.effect) {
        case (.failed(let fields), _): fields.error
        case (.notStarted, _), (.unknown, .transactional), (.unknown, .boundary): unaffected
        case (.ended, .commit), (.unknown, .commit), (.unknown, .autonomous): lost
        case (.ended(let fields), _): fields.error
        }
      complete(request, .failure(error))
    }
    for request in backlog.release() { complete(request, .failure(unaffected)) }
  }
}
