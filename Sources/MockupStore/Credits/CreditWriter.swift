internal import FoundationEssentials
internal import Mockups
internal import Postgres

/// Writes the changes that come one by one: those of one group of users in one batch at a time, so that
/// many share a transaction, and none waits for a lock that another one of this program holds.
///
/// What keeps the books right is the engine's own locks, not these queues: several programs may write to
/// one database.
final class CreditWriter: Sendable {
  fileprivate typealias Queue = BatchQueue<QueuedChange, QueuedOutcome>

  private let shards: [Queue]

  init(
    pool: Pool, limits: BatchLimits, now: @escaping @Sendable () -> Date,
    makeID: @escaping @Sendable () -> UUID
  ) {
    precondition(limits.shards > 0, "there is a shard for every user")
    shards = (0..<limits.shards).map { _ in
      Queue(limits: limits, joins: { $0.hasKind(of: $1) }) { batch in
        do throws(PostgresError) {
          return try pool.submit {
            QueuedChange.statement(of: batch.items, now: now, makeID: makeID)
          } completion: { rows in
            batch.finish(
              Result { () throws(PostgresError) in
                try QueuedChange.outcomes(of: batch.items, try rows.get())
              })
          }
        } catch {
          batch.finish(.failure(error))
          return nil
        }
      }
    }
  }

  func reserve(_ request: ReservationRequest) async throws(CreditError) -> ReservationOutcome {
    guard case .reservation(let outcome) = try await write(.reservation(request)) else {
      preconditionFailure("a reservation is answered as one")
    }
    return try outcome.get()
  }

  func settle(_ settlement: Settlement) async throws(CreditError) -> SettlementOutcome {
    guard case .settlement(let outcome) = try await write(.settlement(settlement)) else {
      preconditionFailure("a settlement is answered as one")
    }
    return try outcome.get()
  }

  func refund(_ refund: Refund) async throws(CreditError) -> RefundOutcome {
    guard case .refund(let outcome) = try await write(.refund(refund)) else {
      preconditionFailure("a refund is answered as one")
    }
    return try outcome.get()
  }

  private func write(_ change: QueuedChange) async throws(CreditError) -> QueuedOutcome {
    let shard = Int(change.userID.uuid.15) % shards.count
    do throws(PostgresError) {
      return try await shards[shard].submit(change)
    } catch {
      throw .database(error)
    }
  }
}

/// A change of any kind. A batch has those of one.
private enum QueuedChange: Sendable {
  case reservation(ReservationRequest)
  case settlement(Settlement)
  case refund(Refund)

  var userID: UUID {
    switch self {
    case .reservation(let request): request.userID
    case .settlement(let settlement): settlement.userID
    case .refund(let refund): refund.userID
    }
  }

  func hasKind(of other: QueuedChange) -> Bool {
    switch (self, other) {
    case (.reservation, .reservation), (.settlement, .settlement), (.refund, .refund): true
    default: false
    }
  }

  private var reservation: ReservationRequest? {
    if case .reservation(let request) = self { request } else { nil }
  }

  private var settlement: Settlement? {
    if case .settlement(let settlement) = self { settlement } else { nil }
  }

  private var refund: Refund? {
    if case .refund(let refund) = self { refund } else { nil }
  }

  /// What has the engine make the changes; nil where there are none.
  static func statement(
    of changes: [QueuedChange], now: () -> Date, makeID: () -> UUID
  ) -> (Statement, Parameters)? {
    func statement<Change: CreditChange>(_ changes: [Change]) -> (Statement, Parameters) {
      (Change.statement, Change.parameters(changes, now: now(), makeID: makeID))
    }
    switch changes.first {
    case .reservation: return statement(changes.compactMap(\.reservation))
    case .settlement: return statement(changes.compactMap(\.settlement))
    case .refund: return statement(changes.compactMap(\.refund))
    case nil: return nil
    }
  }

  /// What its answer says of each.
  static func outcomes(
    of changes: [QueuedChange], _ rows: Rows
  ) throws(PostgresError) -> [QueuedOutcome] {
    func outcomes<Change: CreditChange>(
      _ changes: [Change]
    ) throws(PostgresError) -> [Result<Change.Outcome, CreditError>] {
      try Change.outcomes(of: changes, try rows.map(Change.Answer.init))
    }
    switch changes.first {
    case .reservation:
      return try outcomes(changes.compactMap(\.reservation)).map { .reservation($0) }
    case .settlement: return try outcomes(changes.compactMap(\.settlement)).map { .settlement($0) }
    case .refund: return try outcomes(changes.compactMap(\.refund)).map { .refund($0) }
    case nil: return []
    }
  }
}

/// What has become of a change, of the same kind.
private enum QueuedOutcome: Sendable {
  case reservation(Result<ReservationOutcome, CreditError>)
  case settlement(Result<SettlementOutcome, CreditError>)
  case refund(Result<RefundOutcome, CreditError>)
}
