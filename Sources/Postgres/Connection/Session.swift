/// A connection that is up: libpq's part of it, what is in flight, and what is prepared.
struct Session {
  let libpq: LibpqConnection
  private(set) var pipeline = Pipeline<Request, LibpqResult>()
  private(set) var prepared: PreparedStatements
  /// Whether libpq holds output that the socket did not take.
  private(set) var hasOutput = false
  /// When the head is to be cancelled, should it still be there; nil if not.
  private(set) var nextCancel: ContinuousClock.Instant?
  /// The request to cancel that is in flight. Nothing is sent until it has ended: it could hit that.
  private var cancelRequest: CancelRequest?
  /// A statement that is sent ahead of each other one, in the same transaction; see ``usePooler(_:)``.
  private var prelude: String?
  /// Whether the session's plans are to be discarded ahead of the next statement.
  private var hasStalePlans = false

  // A request to cancel is lost on a server that has not begun the statement: it is repeated.
  private static let cancelInterval: Duration = .milliseconds(200)
  // After one command's nil libpq has the next command's results, or none to come.
  private static let maximumConsecutiveNils = 3

  init(libpq: LibpqConnection, maximumPrepared: Int) {
    self.libpq = libpq
    prepared = PreparedStatements(limit: maximumPrepared)
  }

  /// Adapts to a connection pooler, which may give each transaction another session of PostgreSQL:
  /// no statement is prepared, and settings are local to each transaction.
  mutating func usePooler(prelude: String) {
    prepared = PreparedStatements(limit: 0)
    self.prelude = prelude
  }

  /// Whether the request may be sent now.
  func accepts(_ request: Request, maximumInFlight: Int) -> Bool {
    guard cancelRequest == nil else { return false }
    return switch request.work {
    case .statement, .deferred: pipeline.count < maximumInFlight && pipeline.accepts(.execute)
    case .script: pipeline.accepts(.script)
    case .lease: pipeline.isEmpty
    }
  }

  /// Hands a statement or a script to libpq; false if the connection is broken.
  ///
  /// - Throws: ``PostgresError`` if the request cannot be sent over any connection.
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
      preconditionFailure("what is deferred is made first, and a lease is granted, not sent")
    }
  }

  private mutating func send(
    _ request: Request,
    _ statement: Statement,
    _ parameters: Parameters
  ) throws(PostgresError) -> Bool {
    if let failure = parameters.failure { throw failure }
    let discardsPlans = hasStalePlans && request.isWork
    let plan = discardsPlans ? .parse : try prepared.plan(statement, parameters)
    let types = statement.parameterTypes ?? parameters.types
    var shape = Pipeline<Request, LibpqResult>.Shape.execute
    let isSent =
      switch plan {
      case .execute(let name):
        libpq.sendExecute(name: name, parameters)
      case .prepareAndExecute(let name):
        libpq.sendPrepare(name: name, sql: statement.sql, types: types)
          && libpq.sendExecute(name: name, parameters)
      case .parse:
        sendPrelude(of: request, discardsPlans: discardsPlans, &shape)
          && libpq.sendQuery(sql: statement.sql, types: types, parameters)
      }
    guard isSent, libpq.sendSync() else { return false }
    if case .prepareAndExecute = plan { shape = .prepareAndExecute }
    if discardsPlans { hasStalePlans = false }
    pipeline.sent(
      request, as: shape, isRepeatable: request.effect == .autonomous,
      hasFreshPlans: discardsPlans)
    return true
  }

  /// Sends what goes ahead of a statement, if anything; false if the connection is broken.
  private func sendPrelude(
    of request: Request, discardsPlans: Bool, _ shape: inout Pipeline<Request, LibpqResult>.Shape
  ) -> Bool {
    // Behind a pooler nothing is sent without the settings. There the plans belong to a session that
    // other clients use too, and end with it.
    guard request.isWork, let prelude = prelude ?? (discardsPlans ? "DISCARD PLANS" : nil) else {
      return true
    }
    // To the pipeline it is what a preparation is: a command before the statement, with its result.
    shape = .prepareAndExecute
    return libpq.sendQuery(sql: prelude, types: [], Parameters())
  }

  /// Takes one result that is there.
  ///
  /// Nil when there is none, or none is expected.
  mutating func receive() -> Received? {
    var nils = 0
    while !pipeline.isEmpty, !libpq.isBusy {
      guard let result = libpq.nextResult() else {
        nils += 1
        if nils > Self.maximumConsecutiveNils { return .broken("results are missing") }
        let action = pipeline.received(.end)
        if case .none = action { continue }
        guard libpq.enterPipelineMode() else { return .broken("no return to pipeline mode") }
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

  /// What a result means to the connection.
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
      // In a transaction, which has failed: its next run prepares the statement anew.
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
    case .giveUp(let reason):
      return .broken(reason)
    }
  }

  /// A script that ended its transaction by itself is a failure, though the server has no complaint.
  private func checked(
    _ result: Result<LibpqResult, PostgresError>,
    of request: Request
  ) -> Result<LibpqResult, PostgresError> {
    guard case (.script, .success) = (request.work, result), libpq.isIdle else { return result }
    return .failure(PostgresError(.transactionAborted, "The script ended its transaction."))
  }

  private mutating func forget(_ request: Request) {
    if case .statement(let statement, _) = request.work { prepared.forget(statement) }
  }

  /// Sends what libpq holds; false if the connection is broken.
  mutating func flush() -> Bool {
    guard hasOutput else { return true }
    guard let isAll = libpq.flush() else { return false }
    hasOutput = !isAll
    return true
  }

  mutating func cancel(_ cancellation: Cancellation) {
    _ = pipeline.cancel { $0.cancellation === cancellation }
  }

  /// The request to cancel what the server is executing, if one is due. The caller sends it, and
  /// reports its end to ``cancelEnded(_:now:)``.
  mutating func cancelRequestIfDue(now: ContinuousClock.Instant) -> CancelRequest? {
    guard pipeline.isHeadCancelled else {
      nextCancel = nil
      return nil
    }
    guard cancelRequest == nil, nextCancel.map({ $0 <= now }) ?? true else { return nil }
    cancelRequest = libpq.makeCancelRequest()
    // From now on it may take effect at any time.
    if cancelRequest != nil { pipeline.cancelSent() }
    nextCancel = cancelRequest == nil ? now + Self.cancelInterval : nil
    return cancelRequest
  }

  /// Notes that a request to cancel has ended, unless it was another session's.
  mutating func cancelEnded(_ request: CancelRequest, now: ContinuousClock.Instant) {
    guard cancelRequest === request else { return }
    cancelRequest = nil
    nextCancel = now + Self.cancelInterval
  }

  /// What became of everything in flight, now that the connection is broken.
  mutating func broke() -> [(item: Request, fate: Pipeline<Request, LibpqResult>.Fate)] {
    pipeline.broke()
  }
}
