public import FoundationEssentials
public import Mockups
public import Postgres

/// What is to become of a reservation.
public struct Settlement: Sendable, Hashable {
  public var userID: UUID
  public var reservationID: UUID
  public var action: Action

  public enum Action: Sendable, Hashable {
    /// Spend so many credits, or all that are held, under an id that makes it happen once. Spending
    /// none is a release.
    case commit(id: UUID, credits: Int32?)
    case release
  }

  public init(userID: UUID, reservationID: UUID, action: Action) {
    self.userID = userID
    self.reservationID = reservationID
    self.action = action
  }
}

/// What has become of a reservation.
public struct SettlementOutcome: Sendable, Hashable {
  public var reservation: Reservation
  /// The user's credits after it.
  public var usage: Usage
  /// It was settled so before, and this is the first answer again.
  public var isReplayed: Bool
}

extension CreditStore {
  /// Commits or releases one reservation, as if it were a batch.
  public func settle(_ settlement: Settlement) async throws(CreditError) -> SettlementOutcome {
    let outcomes: [Result<SettlementOutcome, CreditError>]
    do {
      outcomes = try await settle([settlement])
    } catch {
      throw .database(error)
    }
    return try outcomes[0].get()
  }

  /// Commits or releases reservations. In one transaction, durable when it returns.
  public func settle(
    _ settlements: [Settlement]
  ) async throws(PostgresError) -> [Result<SettlementOutcome, CreditError>] {
    let parameters = Parameters(
      now(),
      settlements.map(\.userID),
      settlements.map(\.reservationID),
      settlements.map(\.action.commitID),
      settlements.map(\.action.credits),
      settlements.map { _ in makeID() })
    let outcomes = try await retrying { () throws(PostgresError) in
      try await pool.query(Queries.settleReservations, parameters) { row throws(PostgresError) in
        try SettleRow(row)
      }
    }
    guard outcomes.count == settlements.count else { throw .unexpectedAnswer("settle") }
    return zip(settlements, outcomes).map { settlement, row in row.outcome(of: settlement) }
  }
}

extension Settlement.Action {
  fileprivate var commitID: UUID? {
    if case .commit(let id, _) = self { id } else { nil }
  }

  fileprivate var credits: Int32? {
    if case .commit(_, let credits) = self { credits } else { nil }
  }
}

/// A row of `settle_reservations.sql`.
private struct SettleRow: Sendable {
  var outcome: String
  var isReplayed: Bool
  var found: (reservation: Reservation, usage: Usage)?

  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    _ = try columns.read(Int64.self)
    outcome = try columns.read()
    isReplayed = try columns.read()
    guard outcome != "not_found" else { return }
    let reservation = try Reservation(&columns)
    found = (reservation, try Usage(&columns, period: reservation.period))
  }

  func outcome(of settlement: Settlement) -> Result<SettlementOutcome, CreditError> {
    guard let found else { return .failure(.unknownReservation(settlement.reservationID)) }
    switch outcome {
    case "settled":
      return .success(
        SettlementOutcome(
          reservation: found.reservation, usage: found.usage, isReplayed: isReplayed))
    case "not_open": return .failure(.notOpen(found.reservation))
    case "exceeds_held": return .failure(.exceedsHeld(found.reservation))
    case "insufficient": return .failure(.insufficient(found.usage))
    default: return .failure(.conflicting(outcome))
    }
  }
}
