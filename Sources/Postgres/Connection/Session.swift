/// An established connection: the libpq connection, the statements in flight and those prepared.
struct Session {
  let libpq: LibpqConnection
  private(set) var pipeline = Pipeline<Request, LibpqResult>()
  private(set) var prepared: PreparedStatements
  /// True if libpq has output that the socket did not accept yet.
  private(set) var hasOutput = false
  /// The earliest time of the next cancel request for the statement that is executing; nil for now.
  private(set) var nextCancel: ContinuousClock.Instant?
  /// The cancel request in flight; nothing is sent until it ends, because it could cancel a later
  /// statement.
  private var cancelRequest: CancelRequest?
  /// The time at which the session is given up because the cancel request has not ended.
  private(set) var cancelDeadline: ContinuousClock.Instant?
  /// A statement that is sent before each statement, in its transaction; see
  /// ``usePooler(prelude:)``.
  private var prelude: String?
  /// True if nothing more may be sent, because the session cannot write; it is closed when the
  /// statements in flight have ended.
  var isToBeClosed = false
  /// True if the session's plans must be discarded before the next statement.
  private var hasStalePlans = false

  // A cancel request that reaches the server before the statement does is lost, so it is repeated.
  private static let cancelInterval: Duration = .milliseconds(200)
  // A cancel request takes a connection of its own, which blocks if the host is gone.
  private static let cancelTimeout: Duration = .seconds(2)
  // After the nil that ends a command, libpq has the next command's results or nothing at all.
  private static let maximumConsecutiveNils = 3

  init(libpq: LibpqConnection, maximumPrepared: Int) {
    self.libpq = libpq
    prepared = PreparedStatements(limit: maximumPrepared)
  }

  /// Adapts to a connection pooler, which may use a different PostgreSQL session for each
  /// transaction: no statement is prepared, and the settings are local to each transaction.
  mutating func usePooler(prelude: String) {
    prepared = PreparedStatements(limit: 0)
    self.prelude = prelude
  }

  /// Returns true if the request may be sent now.
  func accepts(_ request: Request, maximumInFlight: Int) -> Bool {
    guard cancelRequest == nil, !isToBeClosed else { return false }
    return switch request.work {
    case .statement, .deferred: pipeline.count < maximumInFlight && pipeline.accepts(.execute)
    case .script: pipeline.accepts(.script)
    case .lease: pipeline.isEmpty
    }
  }

  /// Passes a statement or a script to libpq; returns false if the connection is broken.
  ///
  /// - Throws: ``PostgresError`` if the request is invalid on any connection.
  mutating func send(_ request: Request) throws(PostgresError) -> Bool {
    hasOutput = true
    switch request.work {
    case .statement(let statement, let parameters):
      return try send(request, statement, parameters)
    case .script(let sql):
      guard libpq.exitPipelineMode(), libpq.sendScript(sql) else { return false }
      pipeline.sent(request, as: .script, isRepeatable: false)
      return true
    case .deferred, .lease:
      preconditionFailure("a deferred statement or a lease cannot be sent")
    }
  }

  private mutating func send(
    _ request: Request,
    _ statement: Statement,
    _ parameters: Parameters
  ) throws(PostgresError) -> Bool {
    if let failure = parameters.failure { throw failure }
    let discardsPlans = hasStalePlans && request.isWork
    let form = discardsPlans ? .unnamed : try prepared.form(of: statement, parameters)
    var shape = Pipeline<Request, LibpqResult>.Shape.execute
    let isSent =
      switch form {
      case .execute(let name):
        libpq.sendExecute(name: name, parameters)
      case .prepareAndExecute(let name):
        libpq.sendPrepare(name: name, sql: statement.sql, types: parameters.types)
          && libpq.sendExecute(name: name, parameters)
      case .unnamed:
        sendPrelude(of: request, discardsPlans: discardsPlans, &shape)
          && libpq.sendQuery(sql: statement.sql, parameters)
      }
    guard isSent, libpq.sendSync() else { return false }
    if case .prepareAndExecute = form { shape = .prepareAndExecute }
    if discardsPlans { hasStalePlans = false }
    pipeline.sent(
      request, as: shape, isRepeatable: request.effect == .autonomous,
      isReadOnly: request.isReadOnly, hasFreshPlans: discardsPlans)
    return true
  }

  /// Sends the statement that must precede another, if any; returns false if the connection is
  /// broken.
  private func sendPrelude(
    of request: Request, discardsPlans: Bool, _ shape: inout Pipeline<Request, LibpqResult>.Shape
  ) -> Bool {
    // Behind a pooler every statement needs the settings. Plans belong to sessions there, which are
    // shared with other clients, so they are not discarded.
    guard request.isWork, let prelude = prelude ?? (discardsPlans ? "DISCARD PLANS" : nil) else {
      return true
    }
    // For the pipeline this is a preparation: a command before the statement, with its own result.
    shape = .prepareAndExecute
    return libpq.sendQuery(sql: prelude, Parameters())
  }

  /// Takes the next available result; returns nil if there is none or none is expected.
  mutating func receive() -> Received? {
    var nils = 0
    while !pipeline.isEmpty, hasResult() {
      let result = libpq.nextResult()
      noteReplicationWait()
      guard let result else {
        nils += 1
        if nils > Self.maximumConsecutiveNils { return .broken("libpq returned no more results") }
        let action = pipeline.received(.end)
        if case .none = action { continue }
        guard libpq.enterPipelineMode() else { return .broken("cannot return to pipeline mode") }
        return take(action)
      }
      nils = 0
      guard let reply = reply(result) else { return .broken(result.errorMessage) }
      let received = take(pipeline.received(reply))
      if case .failed(let fields) = reply, fields.isFatal { return .broken(fields.message) }
      if let received { return received }
    }
    return nil
  }

  private mutating func hasResult() -> Bool {
    let isBusy = libpq.isBusy
    noteReplicationWait()
    return !isBusy
  }

  /// Passes a notice that libpq has parsed in its last call to the pipeline.
  private mutating func noteReplicationWait() {
    if libpq.notices.takeReplicationWaitEnded() { pipeline.replicationWaitEnded() }
  }

  /// The meaning of a result for the connection.
  enum Received {
    case finished(Request, Result<LibpqResult, PostgresError>)
    case sendAgain(Request)
    case broken(String)
  }

  private func reply(_ result: LibpqResult) -> Pipeline<Request, LibpqResult>.Reply? {
    switch result.status {
    case .rows, .completed: .completed(result)
    case .failed: result.serverFields.map { .failed($0) }
    case .skipped: .skipped
    case .synchronized: .synchronized
    case .unexpected: nil
    }
  }

  private mutating func take(_ action: Pipeline<Request, LibpqResult>.Action) -> Received? {
    switch action {
    case .none, .prepared:
      return nil
    case .notPrepared(let request):
      forget(request)
      return nil
    case .finishStale(let request, let error):
      nextCancel = nil
      // The statement is part of a failed transaction; when that is retried, it is prepared again.
      forget(request)
      hasStalePlans = true
      return .finished(request, .failure(error))
    case .finish(let request, let result):
      nextCancel = nil
      return .finished(request, checked(result, of: request))
    case .sendAgain(let request, let preparingAnew):
      nextCancel = nil
      if preparingAnew {
        forget(request)
        hasStalePlans = true
      }
      return .sendAgain(request)
    case .dropConnection(let reason):
      return .broken(reason)
    }
  }

  /// Fails a script that ended its transaction by itself, which PostgreSQL does not report.
  private func checked(
    _ result: Result<LibpqResult, PostgresError>,
    of request: Request
  ) -> Result<LibpqResult, PostgresError> {
    guard case (.script, .success) = (request.work, result), libpq.isIdle else { return result }
    return .failure(PostgresError(.transactionAborted, "the script ended its transaction"))
  }

  private mutating func forget(_ request: Request) {
    if case .statement(let statement, _) = request.work { prepared.forget(statement) }
  }

  /// Sends the output that libpq holds; returns false if the connection is broken.
  mutating func flush() -> Bool {
    guard hasOutput else { return true }
    guard let isAll = libpq.flush() else { return false }
    hasOutput = !isAll
    return true
  }

  /// Cancels a statement in flight, unless it may write.
  mutating func cancel(_ cancellation: Cancellation) {
    _ = pipeline.cancel { $0.cancellation === cancellation }
  }

  /// Returns the request that cancels the executing statement, if one is due.
  ///
  /// The caller sends it, and calls ``cancelEnded(_:now:)`` when it has ended.
  mutating func cancelRequestIfDue(now: ContinuousClock.Instant) -> CancelRequest? {
    guard pipeline.isHeadCancelled else {
      nextCancel = nil
      return nil
    }
    guard cancelRequest == nil, nextCancel.map({ $0 <= now }) ?? true else { return nil }
    cancelRequest = libpq.makeCancelRequest()
    // It may take effect at any time from now on.
    if cancelRequest != nil {
      pipeline.cancelSent()
      cancelDeadline = now + Self.cancelTimeout
    }
    nextCancel = cancelRequest == nil ? now + Self.cancelInterval : nil
    return cancelRequest
  }

  /// Returns true if the cancel request in flight blocks the session for too long.
  func isCancelOverdue(now: ContinuousClock.Instant) -> Bool {
    cancelDeadline.map { $0 <= now } ?? false
  }

  /// Records that a cancel request has ended; ignored if it was another session's.
  mutating func cancelEnded(_ request: CancelRequest, now: ContinuousClock.Instant) {
    guard cancelRequest === request else { return }
    cancelRequest = nil
    cancelDeadline = nil
    nextCancel = now + Self.cancelInterval
  }

  /// Returns the fate of every statement in flight after the connection was lost.
  mutating func broke() -> [(item: Request, fate: Pipeline<Request, LibpqResult>.Fate)] {
    pipeline.broke()
  }
}
