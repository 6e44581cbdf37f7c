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

  /// Makes a change that waits for its batch.
  func pending(_ completion: @escaping Completion) -> PendingChange
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

  /// Returns the outcome of each change of a batch, and reports it to an observer.
  static func outcomes(
    of changes: [Self], _ answers: [Answer], _ observer: (any ChangeObserver)?
  ) throws(PostgresError) -> [Result<Outcome, CreditError>] {
    guard answers.count == changes.count else { throw .unexpectedAnswer("\(Self.self)") }
    if let observer {
      for (change, answer) in zip(changes, answers) {
        observer.changeWasAnswered(change.kind, answer.result)
      }
    }
    return zip(changes, answers).map { change, answer in answer.outcome(of: change) }
  }
}

/// A single change that waits for its batch, with the completion that receives its outcome.
enum PendingChange: BatchedChange {
  case reservation(ReservationRequest, ReservationRequest.Completion)
  case settlement(Settlement, Settlement.Completion)
  case refund(Refund, Refund.Completion)

  /// Passes an outcome to a change's completion.
  typealias Delivery = @Sendable () -> Void

  var userID: UUID {
    switch self {
    case .reservation(let request, _): request.userID
    case .settlement(let settlement, _): settlement.userID
    case .refund(let refund, _): refund.userID
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

  func fail(_ error: CreditError) {
    switch self {
    case .reservation(_, let completion): completion(.failure(error))
    case .settlement(_, let completion): completion(.failure(error))
    case .refund(_, let completion): completion(.failure(error))
    }
  }

  /// Returns the statement that makes the changes of a batch, or `nil` for an empty batch.
  static func statement(
    of batch: [PendingChange], now: () -> Date?, makeID: () -> UUID
  ) -> (Statement, Parameters)? {
    func statement<Change: CreditChange>(
      _ changes: [(Change, Change.Completion)]
    ) -> (Statement, Parameters) {
      (Change.statement, Change.parameters(changes.map(\.0), now: now(), makeID: makeID))
    }
    switch batch.first {
    case .reservation: return statement(batch.compactMap(\.reservation))
    case .settlement: return statement(batch.compactMap(\.settlement))
    case .refund: return statement(batch.compactMap(\.refund))
    case nil: return nil
    }
  }

  /// Reads the engine's answer to a batch, and returns a delivery for each change, in order.
  static func deliveries(
    of batch: [PendingChange], _ rows: Rows, _ observer: (any ChangeObserver)?
  ) throws(PostgresError) -> [Delivery] {
    func deliveries<Change: CreditChange>(
      _ changes: [(Change, Change.Completion)]
    ) throws(PostgresError) -> [Delivery] {
      let outcomes = try Change.outcomes(
        of: changes.map(\.0), try rows.map(Change.Answer.init), observer)
      return zip(changes, outcomes).map { change, outcome in { change.1(outcome) } }
    }
    switch batch.first {
    case .reservation: return try deliveries(batch.compactMap(\.reservation))
    case .settlement: return try deliveries(batch.compactMap(\.settlement))
    case .refund: return try deliveries(batch.compactMap(\.refund))
    case nil: return []
    }
  }

  private var reservation: (ReservationRequest, ReservationRequest.Completion)? {
    if case .reservation(let request, let completion) = self { (request, completion) } else { nil }
  }

  private var settlement: (Settlement, Settlement.Completion)? {
    if case .settlement(let change, let completion) = self { (change, completion) } else { nil }
  }

  private var refund: (Refund, Refund.Completion)? {
    if case .refund(let refund, let completion) = self { (refund, completion) } else { nil }
  }
}
