extension Connection {
  /// Receives, sends and cancels, over a connection that is up.
  func work(_ readiness: ConnectionThread.Readiness) {
    let isOpen = readiness.canRead ? session?.libpq.consumeInput() ?? false : true
    // What came before the connection broke still counts.
    guard receive(), session != nil else { return }
    receiveNotifications()
    guard isOpen, session?.libpq.isBroken == false else { return lose(brokenReason) }
    guard send() else { return }
    guard session?.flush() == true else { return lose(brokenReason) }
    if session?.hasOutput == false, let request = session?.cancelRequestIfDue(now: .now),
      !start(request)
    {
      session?.cancelEnded(request, now: .now)
    }
  }

  private var brokenReason: String { session?.libpq.errorMessage ?? "" }

  /// Takes all the results there are; false if the connection was lost over it.
  private func receive() -> Bool {
    while let received = session?.receive() {
      switch received {
      case .finished(let request, let result):
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

  /// Hands on what others have sent on channels that the session listens on.
  private func receiveNotifications() {
    guard let onNotification else { return }
    while let notification = session?.libpq.nextNotification() { onNotification(notification) }
  }

  /// Sends all that may be sent now; false if the connection was lost over it.
  private func send() -> Bool {
    while let request = backlog.next,
      session?.accepts(request, maximumInFlight: configuration.maximumInFlight) == true
    {
      backlog.removeNext()
      guard !request.cancellation.isRequested, let made = request.made() else {
        complete(request, .failure(PostgresError(.cancelled, "The task was cancelled.")))
        continue
      }
      if case .lease(let lease) = request.work {
        backlog.grant(lease)
        complete(request, .success(nil))
        continue
      }
      do throws(PostgresError) {
        guard try session?.send(made) == true else {
          failUnsent(made)
          return false
        }
      } catch {
        complete(made, .failure(error))
      }
    }
    return true
  }

  /// Answers a request that libpq did not take whole: the sync that would commit it was not sent.
  private func failUnsent(_ request: Request) {
    let error = unavailable(brokenReason)
    // A COMMIT does not wait for a sync.
    complete(request, .failure(request.effect == .commit ? error.recoded(.connectionLost) : error))
    lose(brokenReason)
  }

  private func unavailable(_ reason: String) -> PostgresError {
    PostgresError(
      .connectionUnavailable,
      "the database is not reachable",
      detail: connectionString.redact(reason)
    )
  }

  /// Gives the connection up, answers everything that relied on it, and prepares to come back.
  func lose(_ reason: String) {
    if case .settingUp = link { return connectingFailed(reason) }
    let error = PostgresError(
      .connectionLost,
      "the connection to the database broke",
      detail: connectionString.redact(reason)
    )
    let pause = backoff.failed(randomFraction: configuration.randomFraction())
    // Whoever is answered finds the connection gone.
    link = .pausing(until: .now + pause, because: error)
    onEvent(.connectionLost(error, retryIn: pause))
    failEverything(error)
    for request in backlog.removeGeneral() { complete(request, .failure(unavailable(reason))) }
  }

  /// Answers what is in flight, and what the connection's holder has waiting, as of a connection
  /// that is no more.
  func failEverything(
    _ lost: PostgresError = PostgresError(.connectionLost, "The connection was closed.")
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
