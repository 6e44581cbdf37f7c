public import MockupAPI
internal import TTRPC

/// The unresolved reservations of all users, with those first that are unresolved for the longest
/// time, fetched page by page.
public struct UnresolvedReservations: AsyncSequence, Sendable {
  /// One reservation of the list, with its user's label.
  public typealias Element = UnresolvedReservation

  let admin: Admin

  /// Creates an iterator that starts at the first reservation.
  public func makeAsyncIterator() -> Iterator { Iterator(admin: admin) }

  /// The iterator of the list, which fetches the next page when it needs one.
  public struct Iterator: AsyncIteratorProtocol {
    private var reservations: PagedRows<UnresolvedReservation>

    init(admin: Admin) {
      reservations = PagedRows { token throws(RPCError) in
        let request = ListUnresolvedReservationsRequest(pageSize: 500, pageToken: token)
        let response = try await admin.stub.listUnresolvedReservations(
          request, options: admin.options)
        return (response.reservations, response.nextPageToken)
      }
    }

    /// Returns the next reservation, or `nil` at the end.
    ///
    /// - Throws: `RPCError` if a page cannot be fetched.
    public mutating func next() async throws -> UnresolvedReservation? {
      try await reservations.next()
    }
  }
}
