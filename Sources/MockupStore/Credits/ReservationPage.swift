public import FoundationEssentials
public import Mockups
internal import Postgres

/// Which of a user's reservations are asked for. What is `nil` or empty leaves out nothing.
public struct ReservationFilter: Sendable, Hashable {
  public var states: Set<ReservationState>
  public var groupID: UUID?
  public var mockupID: UUID?

  public init(
    states: Set<ReservationState> = [], groupID: UUID? = nil, mockupID: UUID? = nil
  ) {
    self.states = states
    self.groupID = groupID
    self.mockupID = mockupID
  }
}

/// A page of a user's reservations, the newest first.
public struct ReservationPage: Sendable, Hashable {
  public var reservations: [Reservation]
  /// Where the next page begins, if there is one.
  public var next: Cursor?

  /// The last reservation of a page.
  public struct Cursor: Sendable, Hashable {
    public var createdAt: Date
    public var id: UUID

    public init(createdAt: Date, id: UUID) {
      self.createdAt = createdAt
      self.id = id
    }

    public init(_ reservation: Reservation) {
      self.init(createdAt: reservation.createdAt, id: reservation.id)
    }
  }
}

extension CreditStore {
  /// A page of a user's reservations, as they stand now.
  ///
  /// - Parameters:
  ///   - cursor: Where the page before said to go on.
  ///   - count: How many reservations at most.
  public func reservations(
    of userID: UUID, where filter: ReservationFilter = ReservationFilter(),
    after cursor: ReservationPage.Cursor?, count: Int32
  ) async throws(CreditError) -> ReservationPage {
    let states: [String]? =
      filter.states.isEmpty ? nil : filter.states.map(\.rawValue).sorted()
    // One more than the page tells whether there is another.
    let parameters = Parameters(
      now(), userID, states, filter.groupID, filter.mockupID, cursor?.createdAt, cursor?.id,
      Int64(count) + 1)
    var reservations = try await read(Queries.listReservations, parameters) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return try Reservation(&columns)
    }
    if reservations.isEmpty { try await requireUser(userID) }
    guard reservations.count > Int(count) else {
      return ReservationPage(reservations: reservations, next: nil)
    }
    reservations.removeLast()
    let next = reservations.last.map(ReservationPage.Cursor.init)
    return ReservationPage(reservations: reservations, next: next)
  }
}
