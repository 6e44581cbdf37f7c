public import FoundationEssentials
public import MockupCore
internal import Postgres

/// A filter for a list of a user's reservations.
public struct ReservationFilter: Sendable, Hashable {
  /// The states to list; an empty set means all states.
  public var states: Set<ReservationState>
  /// The group to list; nil means all reservations, grouped or not.
  public var groupID: UUID?
  /// The mockup whose reservations to list; nil means all reservations.
  public var mockupID: UUID?

  /// Creates a filter, which matches all reservations by default.
  public init(
    states: Set<ReservationState> = [], groupID: UUID? = nil, mockupID: UUID? = nil
  ) {
    self.states = states
    self.groupID = groupID
    self.mockupID = mockupID
  }
}

/// The position of a reservation among the user's, by creation time and id.
public struct ReservationCursor: PageCursor {
  /// The creation time of the reservation.
  public var createdAt: Date
  /// The id of the reservation.
  public var id: UUID

  /// Creates a cursor from its parts, such as those of a page token.
  public init(createdAt: Date, id: UUID) {
    self.createdAt = createdAt
    self.id = id
  }

  /// Creates a cursor at a reservation.
  public init(_ reservation: Reservation) {
    self.init(createdAt: reservation.createdAt, id: reservation.id)
  }
}

extension CreditStore {
  /// Returns a page of a user's reservations in their current states, the newest first.
  ///
  /// - Parameters:
  ///   - userID: The user.
  ///   - filter: The reservations to list; by default all.
  ///   - cursor: The ``Page/next`` of the previous page; nil means the first page.
  ///   - count: The maximum number of reservations.
  /// - Throws: ``CreditError/unknownUser(_:)`` if the user does not exist.
  public func reservations(
    of userID: UUID, where filter: ReservationFilter = ReservationFilter(),
    after cursor: ReservationCursor?, count: Int32
  ) async throws(CreditError) -> Page<ReservationCursor> {
    let states: [String]? =
      filter.states.isEmpty ? nil : filter.states.map(\.rawValue).sorted()
    let parameters = Parameters(
      now(), userID, states, filter.groupID, filter.mockupID, cursor?.createdAt, cursor?.id,
      Int64(count) + 1)
    let reservations = try await read(Queries.listReservations, of: userID, parameters) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return try Reservation(&columns)
    }
    if reservations.isEmpty { try await requireUser(userID) }
    return Page(reservations, count: count)
  }
}
