internal import FoundationEssentials
internal import Mockups
internal import Postgres

/// A kind of change to credits, as the engine makes it: in batches, of which each item has its own answer.
protocol CreditChange: Sendable {
  associatedtype Outcome: Sendable
  associatedtype Answer: CreditAnswer where Answer.Change == Self

  var userID: UUID { get }

  /// As it stands in a queue, among changes of other kinds.
  var queued: QueuedChange { get }

  /// Its outcome, from that queue.
  static func outcome(in queued: QueuedOutcome) -> Result<Outcome, CreditError>

  /// The engine's function for it.
  static var statement: Statement { get }

  /// What it takes.
  static func parameters(
    _ changes: [Self], now: Date, makeID: () -> UUID
  ) -> Parameters
}

/// A row of the engine's answer, one for each change and in their order.
protocol CreditAnswer: Sendable {
  associatedtype Change: CreditChange

  init(_ row: Row) throws(PostgresError)

  /// What it says of the change that it answers.
  func outcome(of change: Change) -> Result<Change.Outcome, CreditError>
}

extension CreditChange {
  /// What the rows say of each change.
  static func outcomes(
    of changes: [Self], _ answers: [Answer]
  ) throws(PostgresError) -> [Result<Outcome, CreditError>] {
    guard answers.count == changes.count else { throw .unexpectedAnswer("\(Self.self)") }
    return zip(changes, answers).map { change, answer in answer.outcome(of: change) }
  }
}
