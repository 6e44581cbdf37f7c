/// What results are expected from a connection, in which order, and what each means for whom.
///
/// A plain value without I/O: facts go in, and what is to be done comes out. Each statement is sent
/// with a sync of its own, so that it is a transaction of its own and its error ends there:
///
///     statement        ┌ prepare? ┬ execute ┬ sync ┐
///     results          result, nil   result, nil   synchronized
///     script           (simple protocol, alone)    result …, nil
///
/// A statement is finished at its sync, not at its result: it is at the sync that it commits, and
/// there that a deferred constraint may still refuse it.
struct Pipeline<Item: Equatable, Value> {
  /// How a statement was sent.
  enum Shape: Equatable {
    case execute
    case prepareAndExecute
    case script
  }

  /// One result of libpq's.
  enum Reply {
    case completed(Value)
    case failed(ServerFields)
    case skipped
    case synchronized
    /// The nil that ends the results of one command.
    case end
  }

  /// What is to be done about a result.
  enum Action {
    case none
    case prepared(Item)
    case notPrepared(Item)
    /// It failed with a plan that may be stale, and cannot be sent again by itself.
    case finishStale(Item, PostgresError)
    case finish(Item, Result<Value, PostgresError>)
    /// It certainly had no effect through no fault of its own: send it again.
    case sendAgain(Item, preparingAnew: Bool)
    /// The result fits nothing that was sent: the connection is of no more use.
    case giveUp(String)
  }

  /// What became of a statement whose connection broke.
  enum Fate: Equatable {
    case unknown
    /// The server ended the session before it began.
    case notStarted
    /// The server ended the session in the midst of it.
    case ended(ServerFields)
    /// It had failed already.
    case failed(ServerFields)
  }

  private enum Stage {
    case preparing
    case executing
    case synchronizing
    case script
  }

  private enum Outcome {
    case value(Value)
    case failure(ServerFields)
    /// The session ended between the result and the sync.
    case lost
  }

  private struct Entry {
    let item: Item
    let shape: Shape
    /// Whether it is its own transaction, so that it can be sent again after it failed.
    let isRepeatable: Bool
    /// Whether the session's plans were discarded just ahead of it, so that it cannot meet a stale one.
    let hasFreshPlans: Bool
    var stage: Stage
    var outcome: Outcome?
    var isCancelled = false
  }

  // The postmaster signals a session's process and then its process group (signal_child in
  // postmaster.c), so that one request can hit two statements.
  private static var signalsPerCancel: Int { 2 }

  private var entries: [Entry] = []
  /// How many signals of requests to cancel may still hit somebody they were not meant for.
  private var strayCancels = 0

  var count: Int { entries.count }
  var isEmpty: Bool { entries.isEmpty }

  /// Whether something of that shape may be sent now: a script is alone.
  func accepts(_ shape: Shape) -> Bool {
    entries.isEmpty || (shape != .script && entries.last?.shape != .script)
  }

  /// Whether what the server is executing now is to be cancelled.
  var isHeadCancelled: Bool { entries.first?.isCancelled ?? false }

  mutating func sent(
    _ item: Item, as shape: Shape, isRepeatable: Bool, hasFreshPlans: Bool = false
  ) {
    let stage: Stage =
      switch shape {
      case .execute: .executing
      case .prepareAndExecute: .preparing
      case .script: .script
      }
    entries.append(
      Entry(
        item: item, shape: shape, isRepeatable: isRepeatable, hasFreshPlans: hasFreshPlans,
        stage: stage))
  }

  /// Notes that somebody wants it cancelled; false if nothing in flight fits.
  mutating func cancel(where matches: (Item) -> Bool) -> Bool {
    guard let index = entries.firstIndex(where: { matches($0.item) }) else { return false }
    entries[index].isCancelled = true
    return true
  }

  /// Notes that the server was asked to cancel what it is executing.
  mutating func cancelSent() {
    strayCancels += Self.signalsPerCancel
  }

  mutating func received(_ reply: Reply) -> Action {
    guard let head = entries.first else {
      if case .end = reply { return .none }
      return .giveUp("a result came that nobody waits for")
    }
    switch (head.stage, reply) {
    case (.preparing, .completed):
      entries[0].stage = .executing
      return .prepared(head.item)
    case (.preparing, .failed(let fields)):
      entries[0].stage = .executing
      entries[0].outcome = .failure(fields)
      return .notPrepared(head.item)
    case (.executing, .completed(let value)) where head.outcome == nil:
      entries[0].stage = .synchronizing
      entries[0].outcome = .value(value)
      return .none
    case (.executing, .failed(let fields)) where head.outcome == nil:
      entries[0].stage = .synchronizing
      entries[0].outcome = .failure(fields)
      return .none
    case (.executing, .skipped) where head.outcome != nil:
      entries[0].stage = .synchronizing
      return .none
    case (.synchronizing, .failed(let fields)):
      refuseCommit(fields)
      return .none
    case (.synchronizing, .synchronized):
      return finishHead()
    case (.script, .completed(let value)):
      if case .failure? = head.outcome { return .none }
      entries[0].outcome = .value(value)
      return .none
    case (.script, .failed(let fields)):
      if case .failure? = head.outcome { return .none }
      entries[0].outcome = .failure(fields)
      return .none
    case (.script, .end):
      return finishHead()
    case (_, .end):
      return .none
    case (let stage, let reply):
      return .giveUp("\(reply) came while \(stage)")
    }
  }

  /// Notes that the connection broke, and tells what became of everything in flight, in order.
  mutating func broke() -> [(item: Item, fate: Fate)] {
    defer {
      entries = []
      strayCancels = 0
    }
    let sessionEnded = hasHeadEndedSession
    return entries.enumerated().map { index, entry in
      switch entry.outcome {
      case .failure(let fields) where fields.isFatal && fields.sqlState.endsSession:
        (entry.item, .ended(fields))
      case .failure(let fields) where !fields.isFatal:
        (entry.item, .failed(fields))
      default:
        (entry.item, index > 0 && sessionEnded ? .notStarted : .unknown)
      }
    }
  }

  private var hasHeadEndedSession: Bool {
    switch entries.first?.outcome {
    case .failure(let fields): fields.isFatal && fields.sqlState.endsSession
    case .lost: true
    case .value, nil: false
    }
  }

  private mutating func refuseCommit(_ fields: ServerFields) {
    guard case .value? = entries[0].outcome else { return }  // the first failure is the reason
    entries[0].outcome = fields.isFatal ? .lost : .failure(fields)
  }

  private mutating func finishHead() -> Action {
    let head = entries.removeFirst()
    // A request to cancel that comes while the server waits for us hits nobody.
    defer { if entries.isEmpty { strayCancels = 0 } }
    switch head.outcome {
    case .value(let value):
      return .finish(head.item, .success(value))
    case .failure(let fields) where fields.sqlState == .queryCanceled && !fields.isStatementTimeout:
      return finishCancelled(head, fields)
    case .failure(let fields)
    where head.isRepeatable && !head.hasFreshPlans && fields.isPlanProblem:
      return .sendAgain(head.item, preparingAnew: true)
    case .failure(let fields) where !head.hasFreshPlans && fields.isStalePlan:
      return .finishStale(head.item, fields.error)
    case .failure(let fields):
      return .finish(head.item, .failure(fields.error))
    case .lost, nil:
      return .giveUp("a statement ended without a result")
    }
  }

  private mutating func finishCancelled(_ head: Entry, _ fields: ServerFields) -> Action {
    let wasOurs = strayCancels > 0
    strayCancels = max(0, strayCancels - 1)
    if head.isCancelled {
      return .finish(head.item, .failure(PostgresError(.cancelled, server: fields)))
    }
    if wasOurs && head.isRepeatable { return .sendAgain(head.item, preparingAnew: false) }
    return .finish(head.item, .failure(fields.error))
  }
}
