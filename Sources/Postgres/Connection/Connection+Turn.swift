extension Connection {
  /// Does all that can be done without waiting, and tells what to wait for.
  func turn(_ readiness: ConnectionThread.Readiness) -> ConnectionThread.Wait {
    for command in takeCommands() { handle(command) }
    switch link {
    case .notStarted(let since):
      if let since, since + configuration.connectTimeout <= .now {
        link = .notStarted(waitingSince: nil)
        failGeneral(.connectionUnavailable, "The connection was not started.")
      }
    case .connecting(let libpq, let progress, let deadline):
      continueConnecting(libpq, progress, deadline, readiness)
    case .pausing(let until, _):
      if until <= .now { beginConnecting() }
    case .ready, .closed:
      break
    }
    if case .ready = link { work(readiness) }
    finishClosingIfDue()
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
    case .ready:
      wait.socket = session?.libpq.socket
      wait.wantsRead = true
      wait.wantsWrite = session?.hasOutput ?? false
      wait.add(session?.nextCancel)
    case .closed:
      break
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
        complete(request, .failure(PostgresError(.cancelled, "The task was cancelled.")))
      } else {
        session?.cancel(cancellation)
      }
    case .release(let lease):
      release(lease)
    case .close(let deadline, let completion):
      close(deadline, completion)
    }
  }

  private func accept(_ request: Request) {
    if request.cancellation.isRequested {
      return complete(request, .failure(PostgresError(.cancelled, "The task was cancelled.")))
    }
    if request.lease == nil {
      if let refusal = refusal { return complete(request, .failure(refusal)) }
      if case .notStarted(nil) = link { link = .notStarted(waitingSince: .now) }
    } else if request.effect == .transactional,
      backlog.leasedCount >= configuration.maximumPending
    {
      return complete(
        request,
        .failure(PostgresError(.queueFull, "The transaction has too much pending."))
      )
    }
    guard backlog.append(request) else {
      return complete(
        request,
        .failure(
          PostgresError(
            .connectionUnavailable,
            "The connection broke; the transaction was rolled back."
          )
        )
      )
    }
  }

  /// Why nothing new is accepted; nil if it is.
  private var refusal: PostgresError? {
    if closing != nil { return PostgresError(.closed, "The connection is being closed.") }
    switch link {
    case .closed: return PostgresError(.closed, "The connection is closed.")
    case .pausing(_, let error): return error.recoded(.connectionUnavailable)
    case .notStarted, .connecting, .ready: return nil
    }
  }

  private func release(_ lease: Lease) {
    admission.leave()
    guard backlog.holder?.id == lease.id else { return }
    for request in backlog.release() {
      complete(request, .failure(PostgresError(.closed, "The transaction is over.")))
    }
    guard let session, session.pipeline.isEmpty, !session.libpq.isIdle else { return }
    // ROLLBACK did not succeed: the server does it when the connection goes.
    lose("the transaction was not brought to an end")
  }

  private func close(
    _ deadline: ContinuousClock.Instant,
    _ completion: @escaping @Sendable () -> Void
  ) {
    if case .closed = link { return completion() }
    var closing = closing ?? Closing(deadline: deadline, completions: [])
    closing.deadline = min(closing.deadline, deadline)
    closing.completions.append(completion)
    self.closing = closing
  }

  private func finishClosingIfDue() {
    guard let closing else { return }
    if case .ready = link, closing.deadline > .now, hasWork { return }
    if case .connecting = link, closing.deadline > .now, hasWork { return }
    // What the server is still at would be in vain.
    if let session, !session.pipeline.isEmpty { _ = session.libpq.cancel() }
    link = .closed
    self.closing = nil
    failEverything()
    failGeneral(.closed, "The connection was closed.")
    for completion in closing.completions { completion() }
  }

  private var hasWork: Bool {
    !backlog.isEmpty || backlog.holder != nil || !(session?.pipeline.isEmpty ?? true)
  }

  func failGeneral(_ code: PostgresError.Code, _ message: String) {
    for request in backlog.removeGeneral() {
      complete(request, .failure(PostgresError(code, message)))
    }
  }

  /// Answers a request, which is then no longer pending.
  func complete(_ request: Request, _ result: Result<LibpqResult?, PostgresError>) {
    if request.lease == nil {
      // A lease that is granted is pending until it is released.
      if case (.lease, .success) = (request.work, result) {} else { admission.leave() }
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
