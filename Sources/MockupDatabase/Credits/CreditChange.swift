internal import FoundationEssentials
internal import MockupCore
internal import Postgres

/// A kind of change to a user's credits.
///
/// The engine makes changes in batches of one kind and answers each with a row of its own.
protocol CreditChange: Sendable {
  associatedtype Outcome: Sendable
  associatedtype Answer: CreditAnswer where Answer.Change == Self

  typealias Completion = @Sendable (Result<Outcome, CreditError>) -> Void

  var userID: UUID { get }

  /// The kind of the change, for its observer.
  var kind: ChangeKind { get }

  /// The statement that calls the engine's function for a batch.
  static var statement: Statement { get }

  /// The statement that makes all changes of a batch or none, or nil if there is none.
  ///
  /// The engine makes them only if every outcome is ``CreditAnswer/isSuccess``.
  static var allOrNothingStatement: Statement? { get }

  /// Returns the statement's parameters for a batch.
  static func parameters(
    _ changes: [Self], now: Date?, makeID: () -> UUID
  ) -> Parameters

  /// Returns a pending change of this kind as one of any kind.
  static func pendingChange(_ pending: Pending<Self>) -> PendingChange
}

/// A row of the engine's answer.
///
/// There is one row for each change, in the order of the changes.
protocol CreditAnswer: Sendable {
  associatedtype Change: CreditChange

  init(_ row: Row) throws(PostgresError)

  /// The answer in one word, for its observer.
  var result: ChangeResult { get }

  /// True if the outcome does not undo a batch of ``CreditChange/allOrNothingStatement``.
  var isSuccess: Bool { get }

  /// Returns the outcome of the change that this row answers.
  func outcome(of change: Change) -> Result<Change.Outcome, CreditError>
}

extension CreditChange {
  static var allOrNothingStatement: Statement? { nil }

  /// Checks that each change of a batch has an answer, and reports the answers to an observer.
  static func check(
    _ answers: [Answer], to changes: some Collection<Self>, _ observer: (any ChangeObserver)?
  ) throws(PostgresError) {
    guard answers.count == changes.count else { throw .unexpectedAnswer("\(Self.self)") }
    guard let observer else { return }
    for (change, answer) in zip(changes, answers) {
      observer.changeWasAnswered(change.kind, answer.result)
    }
  }
}

/// A change that waits for its batch, with the completion that receives its outcome.
final class Pending<Change: CreditChange>: Sendable {
  let change: Change
  let completion: Change.Completion

  init(_ change: Change, _ completion: @escaping Change.Completion) {
    self.change = change
    self.completion = completion
  }
}

/// A single change of any kind that waits for its batch.
enum PendingChange: BatchedChange {
  case reservation(Pending<ReservationRequest>)
  case settlement(Pending<Settlement>)
  case refund(Pending<Refund>)

  var userID: UUID {
    switch self {
    case .reservation(let pending): pending.change.userID
    case .settlement(let pending): pending.change.userID
    case .refund(let pending): pending.change.userID
    }
  }

  /// Returns true if both changes may be in one batch.
  func isSameKind(as other: PendingChange) -> Bool {
    switch (self, other) {
    case (.reservation, .reservation), (.settlement, .settlement), (.refund, .refund): true
    default: false
    }
  }

  static func findLocked(_ changes: [PendingChange]) -> (Statement, Parameters) {
    (Queries.findLockedUsers, Parameters(Array(Set(changes.map(\.userID)))))
  }

  /// Returns the statement that makes the changes of a batch, or `nil` for an empty batch.
  static func statement(
    of batch: [PendingChange], now: () -> Date?, makeID: () -> UUID
  ) -> (Statement, Parameters)? {
    func statement<Change: CreditChange>(_ batch: [Pending<Change>]) -> (Statement, Parameters) {
      (Change.statement, Change.parameters(batch.map(\.change), now: now(), makeID: makeID))
    }
    switch batch.first {
    case .reservation: return statement(batch.compactMap(\.reservation))
    case .settlement: return statement(batch.compactMap(\.settlement))
    case .refund: return statement(batch.compactMap(\.refund))
    case nil: return nil
    }
  }

  /// Passes one of the outcomes of a batch to the completion of its change.
  struct Delivery: Sendable {
    fileprivate let index: Int
    fileprivate let deliver: @Sendable (_ index: Int) -> Void

    func callAsFunction() { deliver(index) }
  }

  /// Reads the engine's answer to a batch, and returns a delivery for each change, in order.
  static func deliveries(
    of batch: [PendingChange], _ rows: Rows, _ observer: (any ChangeObserver)?
  ) throws(PostgresError) -> [Delivery] {
    func deliveries<Change: CreditChange>(
      _ batch: [Pending<Change>]
    ) throws(PostgresError) -> [Delivery] {
      let answers = try rows.map(Change.Answer.init)
      try Change.check(answers, to: batch.lazy.map(\.change), observer)
      let deliver = { @Sendable (index: Int) in
        let pending = batch[index]
        pending.completion(answers[index].outcome(of: pending.change))
      }
      return batch.indices.map { Delivery(index: $0, deliver: deliver) }
    }
    switch batch.first {
    case .reservation: return try deliveries(batch.compactMap(\.reservation))
    case .settlement: return try deliveries(batch.compactMap(\.settlement))
    case .refund: return try deliveries(batch.compactMap(\.refund))
    case nil: return []
    }
  }

  private var reservation: Pending<ReservationRequest>? {
    if case .reservation(let pending) = self { pending } else { nil }
  }

  private var settlement: Pending<Settlement>? {
    if case .settlement(let pending) = self { pending } else { nil }
  }

  private var refund: Pending<Refund>? {
    if case .refund(let pending) = self { pending } else { nil }
  }
}
