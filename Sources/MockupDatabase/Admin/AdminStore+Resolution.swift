public import FoundationEssentials
internal import MockupCore
internal import Postgres

/// An administrator's decision on what the vendor charged for an unresolved reservation.
public struct Resolution: Sendable, Hashable {
  /// The user who has the reservation.
  public var userID: UUID
  /// The id of the reservation, which the client made.
  public var reservationID: UUID
  /// The idempotency key of the resolution.
  public var id: UUID
  /// The number of credits that were charged; 0 releases all held credits.
  public var credits: Int32
  /// A Boolean value that indicates whether the charge may exceed the held credits.
  ///
  /// The excess must be available.
  public var allowsOverrun: Bool

  /// Creates a resolution.
  public init(
    userID: UUID, reservationID: UUID, id: UUID, credits: Int32, allowsOverrun: Bool = false
  ) {
    self.userID = userID
    self.reservationID = reservationID
    self.id = id
    self.credits = credits
    self.allowsOverrun = allowsOverrun
  }
}

extension AdminStore {
  /// Settles an unresolved reservation.
  ///
  /// - Parameters:
  ///   - resolution: The decision.
  ///   - isTrial: If true, nothing changes, and only the outcome is returned.
  /// - Throws: ``CreditError/notOpen(_:)`` if the reservation is not unresolved.
  public func resolve(
    _ resolution: Resolution, isTrial: Bool = false
  ) async throws(CreditError) -> SettlementOutcome {
    let parameters = Parameters(
      now(), resolution.userID, resolution.reservationID, resolution.id, resolution.credits,
      resolution.allowsOverrun, makeID())
    let statement = isTrial ? Queries.tryResolveReservation : Queries.resolveReservation
    let rows = try await write(statement, of: resolution.userID, parameters) {
      row throws(PostgresError) in
      try SettleRow(row)
    }
    guard let row = rows.first else { throw .database(.unexpectedAnswer("resolve")) }
    return try row.outcome(of: resolution.reservationID).get()
  }
}
