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
    publishOldestWrite()
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
      if cancelThreads == 0 { wait.add(session.nextCancel) }
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
        admission.leave(isReadOnly: request.isReadOnly)
      }
    }
    request.complete(result)
  }
}

extension ConnectionThread.Wait {
  fileprivate mutating func add(_ other: ContinuousClock.Instant?) {
    guard let other else { return }
    deadline = deadline.map { min($0, other) } ?? other
  }
}
