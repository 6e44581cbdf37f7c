extension Connection {
  /// Does all work that does not block, and returns the events to wait for.
  func tick(_ readiness: ConnectionThread.Readiness) -> ConnectionThread.Wait {
    for command in takeCommands() { handle(command) }
    switch link {
    case .notStarted(let since):
      if let since, since + configuration.connectTimeout <= .now {
        link = .notStarted(waitingSince: nil)
        failGeneral(.connectionUnavailable, "the connection was not started")
      }
    case .connecting(let libpq, let progress, let deadline):
      continueConnecting(libpq, progress, deadline, readiness)
    case .settingUp(let deadline):
      if deadline <= .now { hostFailed("the attempt to connect timed out") }
    case .pausing(let until, _):
      if until <= .now { beginConnecting() }
    case .ready, .suspended, .closed:
      break
    }
    if session != nil { work(readiness) }
    finishClosingIfDue()
    publishAges()
    return wait
  }

  private var wait: ConnectionThread.Wait {
    var wait = ConnectionThread.Wait(deadline: closing?.deadline)
    switch link {
    case .notStarted(let since):
      wait.add(since.map { $0 + configuration.connectTimeout })
    case .connecting(let libpq, let progress, let deadline):
      wait.socket = libpq.socket
      wait.wantsRead = progress == .reading
      wait.wantsWrite = progress == .writing
      wait.add(deadline)
    case .pausing(let until, _):
      wait.add(until)
    case .settingUp(let deadline):
      wait.add(deadline)
    case .ready, .suspended, .closed:
      break
    }
    if let session {
      wait.socket = session.libpq.socket
      wait.wantsRead = true
      wait.wantsWrite = session.hasOutput
      // `work` sends no cancel request before all output is sent.
      if cancelThreads == 0, !session.hasOutput { wait.add(session.nextCancel) }
      wait.add(session.cancelDeadline)
    }
    return wait
  }

  private func handle(_ command: Command) {
    switch command {
    case .start:
      if case .notStarted = link { beginConnecting() }
    case .submit(let request):
      accept(request)
    case .cancel(let cancellation):
      if let request = backlog.remove(cancellation) {
        complete(request, .failure(PostgresError(.cancelled, "the task was cancelled")))
      } else {
        session?.cancel(cancellation)
      }
    case .cancelEnded(let request):
      cancelThreads -= 1
      session?.cancelEnded(request, now: .now)
      if closing?.cancelRequest === request { closing?.deadline = .now }
    case .release(let lease):
      release(lease)
    case .suspend(let error):
      suspend(error)
    case .resume:
      switch link {
      case .suspended, .pausing:
        backoff.succeeded()
        beginConnecting()
      case .notStarted, .connecting, .settingUp, .ready, .closed: break
      }
    case .close(let deadline, let completion):
      close(deadline, completion)
    }
  }

  private func accept(_ request: Request) {
    if request.cancellation.isRequested {
      return complete(request, .failure(PostgresError(.cancelled, "the task was cancelled")))
    }
    if request.lease == nil {
      if let refusal = refusal { return complete(request, .failure(refusal)) }
      if case .notStarted(nil) = link { link = .notStarted(waitingSince: .now) }
    } else if request.effect == .transactional,
      backlog.leasedCount >= configuration.maximumPending
    {
      return complete(
        request,
        .failure(
          PostgresError(
            .queueFull,
            "the transaction already has \(configuration.maximumPending) pending statements"
          )
        )
      )
    }
    guard backlog.append(request) else {
      return complete(
        request,
        .failure(
          PostgresError(
            .connectionUnavailable,
            "the connection to the database was lost, and the transaction was rolled back"
          )
        )
      )
    }
  }

  /// The error with which new requests are rejected; nil while they are accepted.
  private var refusal: PostgresError? {
    if closing != nil { return PostgresError(.closed, "the connection is being closed") }
    switch link {
    case .closed: return PostgresError(.closed, "the connection is closed")
    case .pausing(_, let error): return error.recoded(.connectionUnavailable)
    case .suspended(let error): return error.recoded(.connectionUnavailable)
    case .notStarted, .connecting, .settingUp, .ready: return nil
    }
  }

  private func release(_ lease: Lease) {
    admission.leave()
    guard backlog.holder?.id == lease.id else { return }
    for request in backlog.release() {
      complete(request, .failure(PostgresError(.closed, "the transaction has ended")))
    }
    guard let session, session.pipeline.isEmpty, !session.libpq.isIdle else { return }
    // ROLLBACK failed: the server rolls back when the connection is closed.
    lose("the transaction could not be rolled back")
  }

  private func suspend(_ error: PostgresError) {
    if case .closed = link { return }
    link = .suspended(because: error)
    failEverything(error.recoded(.connectionLost))
    let unavailable = error.recoded(.connectionUnavailable)
    for request in backlog.removeGeneral() { complete(request, .failure(unavailable)) }
  }

  private func close(
    _ deadline: ContinuousClock.Instant,
    _ completion: @escaping @Sendable () -> Void
  ) {
    if case .closed = link, closing == nil { return completion() }
    var closing = closing ?? Closing(deadline: deadline, completions: [])
    closing.deadline = min(closing.deadline, deadline)
    closing.completions.append(completion)
    self.closing = closing
  }

  private func finishClosingIfDue() {
    guard let closing else { return }
    if closing.cancelRequest != nil {
      if closing.deadline > .now { return }
    } else {
      switch link {
      case .ready, .connecting, .settingUp:
        if closing.deadline > .now, hasWork { return }
      case .notStarted, .pausing, .suspended, .closed:
        break
      }
      // The results of the statements that are still executing can no longer be delivered.
      // Statements that may write run to their end: they may be committing.
      let isReading = session.map { !$0.pipeline.isEmpty && $0.pipeline.isReadOnly } ?? false
      let cancelRequest =
        isReading && cancelThreads == 0 ? session?.libpq.makeCancelRequest() : nil
      link = .closed
      failEverything()
      failGeneral(.closed, "the connection was closed")
      if let cancelRequest, start(cancelRequest) {
        self.closing?.cancelRequest = cancelRequest
        self.closing?.deadline = .now + Self.cancelTimeout
        return
      }
    }
    self.closing = nil
    for completion in closing.completions { completion() }
  }

  /// The time that a closed connection waits for its last cancel request.
  private static let cancelTimeout: Duration = .seconds(1)

  /// Sends a cancel request on a new thread, which posts a command when it ends.
  ///
  /// The thread blocks while the server's host does not answer. A connection therefore starts no
  /// other one until it ends.
  ///
  /// - Returns: False if the thread cannot be created.
  func start(_ cancelRequest: CancelRequest) -> Bool {
    let isStarted = startBlockingCall { [weak self] in
      cancelRequest.send()
      self?.post(.cancelEnded(cancelRequest))
    }
    if isStarted { cancelThreads += 1 }
    return isStarted
  }

  private var hasWork: Bool {
    !backlog.isEmpty || backlog.holder != nil || !(session?.pipeline.isEmpty ?? true)
  }

  func failGeneral(_ code: PostgresError.Code, _ message: String) {
    for request in backlog.removeGeneral() {
      complete(request, .failure(PostgresError(code, message)))
    }
  }

  /// Completes a request; except for a granted lease, it is then no longer pending.
  func complete(_ request: Request, _ result: Result<LibpqResult?, PostgresError>) {
    if request.lease == nil {
      // A granted lease counts as pending until it is released.
      if case (.lease, .success) = (request.work, result) {
      } else {
        admission.leave()
      }
    }
    request.complete(result)
  }

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
        if case .failure(let error) = result, error.isOfReadOnlySession,
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

extension ConnectionThread.Wait {
  fileprivate mutating func add(_ other: ContinuousClock.Instant?) {
    guard let other else { return }
    deadline = deadline.map { min($0, other) } ?? other
  }
}
