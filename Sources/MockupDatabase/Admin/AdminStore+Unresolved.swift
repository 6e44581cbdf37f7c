public import FoundationEssentials
public import MockupCore
internal import Postgres

/// A reservation that waits for an administrator's resolution.
public struct UnresolvedReservation: Sendable, Hashable {
  /// The reservation, which is unresolved since its `expiresAt`.
  public var reservation: Reservation
  /// The label of its user, such as an e-mail address; nil if there is none.
  public var userLabel: String?
}

/// The position of a reservation among the unresolved ones of all users.
public struct UnresolvedCursor: PageCursor {
  /// The time since which the reservation is unresolved.
  public var since: Date
  /// The id of the reservation's user.
  public var userID: UUID
  /// The id of the reservation.
  public var id: UUID

  /// Creates a cursor from its parts, such as those of a page token.
  public init(since: Date, userID: UUID, id: UUID) {
    self.since = since
    self.userID = userID
    self.id = id
  }

  /// Creates a cursor at a reservation.
  public init(_ unresolved: UnresolvedReservation) {
    let reservation = unresolved.reservation
    self.init(since: reservation.expiresAt, userID: reservation.userID, id: reservation.id)
  }
}

extension AdminStore {
  /// Returns a page of the unresolved reservations of all users, with those first that are
  /// unresolved for the longest time.
  ///
  /// - Parameters:
  ///   - cursor: The ``Page/next`` of the previous page; nil means the first page.
  ///   - count: The maximum number of reservations.
  public func unresolvedReservations(
    after cursor: UnresolvedCursor?, count: Int32
  ) async throws(CreditError) -> Page<UnresolvedCursor> {
    let parameters = Parameters(
      now(), cursor?.since, cursor?.userID, cursor?.id, Int64(count) + 1)
    let rows = try await read(Queries.listUnresolvedReservations, parameters) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return UnresolvedReservation(
        reservation: try Reservation(&columns), userLabel: try columns.read())
    }
    return Page(rows, count: count)
  }
}
