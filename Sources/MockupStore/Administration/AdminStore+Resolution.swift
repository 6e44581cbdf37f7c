public import FoundationEssentials
internal import Mockups
internal import Postgres

/// What a reservation that was dispatched and never settled was charged, by the vendor's invoice.
public struct Resolution: Sendable, Hashable {
  public var userID: UUID
  public var reservationID: UUID
  /// Makes it happen once.
  public var id: UUID
  /// 0 gives all of it back.
  public var credits: Int32
  /// Whether it may be more than is held, as long as that is available.
  public var allowsOverrun: Bool

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
  /// Settles a reservation that is unresolved, and no other.
  public func resolve(_ resolution: Resolution) async throws(CreditError) -> SettlementOutcome {
    let parameters = Parameters(
      now(), resolution.userID, resolution.reservationID, resolution.id, resolution.credits,
      resolution.allowsOverrun, makeID())
    let rows = try await read(Queries.resolveReservation, parameters) { row throws(PostgresError) in
      try SettleRow(row)
    }
    guard let row = rows.first else { throw .database(.unexpectedAnswer("resolve")) }
    return try row.outcome(of: resolution.reservationID).get()
  }
}
