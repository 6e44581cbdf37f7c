/// The statements in flight on a connection, in order, and the results that they still expect.
///
/// The type does no I/O: its caller passes in results, and gets the actions to take. Each statement
/// is sent with a sync of its own, so that it is a transaction of its own and its error affects
/// nothing else:
///
///     statement        ┌ prepare? ┬ execute ┬ sync ┐
///     results          result, nil   result, nil   synchronized
///     script           (simple protocol, alone)    result …, nil
///
/// A statement ends at its sync, not at its result: it commits at the sync, where a deferred
/// constraint may still fail, and where PostgreSQL waits for its synchronous standbys.
///
/// Only statements that read are cancelled, and only while no other kind is in flight: a cancel
/// request may hit a later statement than the one it was meant for.
struct Pipeline<Item: Equatable, Value> {
  /// The form in which a statement was sent.
  enum Shape: Equatable {
    case execute
    case prepareAndExecute
    case script
  }

  /// A result from libpq.
  enum Reply {
    case completed(Value)
    case failed(ServerFields)
    case skipped
    case synchronized
    /// The nil that ends the results of a command.
    case end
  }

  /// The action to take for a result.
  enum Action {
    case none
    case prepared(Item)
    case notPrepared(Item)
    /// The statement failed, perhaps because of a stale plan, and cannot be retried by itself.
    case finishStale(Item, PostgresError)
    case finish(Item, Result<Value, PostgresError>)
    /// The statement had no effect and was not at fault: retry it.
    case sendAgain(Item, preparingAnew: Bool)
    /// The result does not match the statements in flight: drop the connection.
    case dropConnection(String)
  }

  /// The outcome of a statement whose connection was lost.
  enum Fate: Equatable {
    case unknown
    /// The server ended the session before the statement began.
    case notStarted
    /// The server ended the session while it executed the statement.
    case ended(ServerFields)
    /// The statement had already failed.
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
    /// True if the statement is a transaction of its own, so that it can be retried.
    let isRepeatable: Bool
    /// True if the statement changes nothing, so that it may be cancelled.
    let isReadOnly: Bool
    /// True if the session's plans were discarded just before it, so that its plan is not stale.
    let hasFreshPlans: Bool
    let sentAt: ContinuousClock.Instant
    var stage: Stage
    var outcome: Outcome?
    var isCancelled = false
    /// True if PostgreSQL has stopped waiting for the replication of the statement's commit.
    var isReplicationUncertain = false
  }

  // The postmaster signals the session's process and then its process group (signal_child in
  // postmaster.c), so one cancel request can hit two statements.
  private static var signalsPerCancel: Int { 2 }

  private var entries: [Entry] = []
  /// The number of cancel signals that may still hit a statement they were not meant for.
  private var strayCancels = 0

  var count: Int { entries.count }
  var isEmpty: Bool { entries.isEmpty }

  /// Returns true if a statement of this shape may be sent now; a script is sent alone.
  func accepts(_ shape: Shape) -> Bool {
    entries.isEmpty || (shape != .script && entries.last?.shape != .script)
  }

  /// True if only statements that read are in flight.
  var isReadOnly: Bool { entries.allSatisfy(\.isReadOnly) }

  /// The time at which the oldest statement in flight was sent.
  var oldest: ContinuousClock.Instant? { entries.first?.sentAt }

  /// The time at which the oldest statement in flight that may write was sent.
  var oldestWrite: ContinuousClock.Instant? { entries.first { !$0.isReadOnly }?.sentAt }

  /// True if a cancel request is due for the statement that the server is executing now.
  var isHeadCancelled: Bool { entries.first?.isCancelled == true && isReadOnly }

  mutating func sent(
    _ item: Item, as shape: Shape, isRepeatable: Bool, isReadOnly: Bool = false,
    hasFreshPlans: Bool = false
  ) {
    let stage: Stage =
      switch shape {
      case .execute: .executing
      case .prepareAndExecute: .preparing
      case .script: .script
      }
    entries.append(
      Entry(
        item: item, shape: shape, isRepeatable: isRepeatable, isReadOnly: isReadOnly,
        hasFreshPlans: hasFreshPlans, sentAt: .now, stage: stage))
  }

  /// Marks a statement that only reads as cancelled; returns false if none in flight matches.
  mutating func cancel(where matches: (Item) -> Bool) -> Bool {
    guard let index = entries.firstIndex(where: { $0.isReadOnly && matches($0.item) }) else {
      return false
    }
    entries[index].isCancelled = true
    return true
  }

  /// Records that PostgreSQL has stopped waiting for the replication of the head's commit.
  ///
  /// Its notice arrives between the head's first result and its sync. libpq parses it before it
  /// returns the sync, and, since a later statement's notice follows further messages of that
  /// statement, not before it has returned the previous statement's sync.
  mutating func replicationWaitEnded() {
    if !entries.isEmpty { entries[0].isReplicationUncertain = true }
  }

  /// Records that a cancel request is being sent to the server.
  mutating func cancelSent() {
    strayCancels += Self.signalsPerCancel
  }

  mutating func received(_ reply: Reply) -> Action {
    guard let head = entries.first else {
      if case .end = reply { return .none }
      return .dropConnection("unexpected result: no statement is in flight")
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
      return .dropConnection("unexpected result \(reply) while \(stage)")
    }
  }

  /// Clears the pipeline after the connection was lost, and returns the fate of each statement.
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
    guard case .value? = entries[0].outcome else { return }  // the first failure is the cause
    entries[0].outcome = fields.isFatal ? .lost : .failure(fields)
  }

  private mutating func finishHead() -> Action {
    let head = entries.removeFirst()
    // A cancel request that arrives while the server is idle has no effect.
    defer { if entries.isEmpty { strayCancels = 0 } }
    switch head.outcome {
    case .value where head.isReplicationUncertain:
      return .finish(head.item, .failure(.replicationUncertain))
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
      return .dropConnection("a statement ended without a result")
    }
  }

  private mutating func finishCancelled(_ head: Entry, _ fields: ServerFields) -> Action {
    let wasOurs = strayCancels > 0
    strayCancels = max(0, strayCancels - 1)
    if head.isCancelled {
      return .finish(head.item, .failure(PostgresError(.cancelled, server: fields)))
    }
    if wasOurs && head.isReadOnly && head.isRepeatable {
      return .sendAgain(head.item, preparingAnew: false)
    }
    return .finish(head.item, .failure(fields.error))
  }
}
