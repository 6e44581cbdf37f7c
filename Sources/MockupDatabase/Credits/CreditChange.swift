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
