internal import FoundationEssentials
public import MockupAPI
internal import TTRPC

/// A user's reservations, the newest first, fetched page by page.
public struct Reservations: AsyncSequence, Sendable {
  /// One reservation of the list.
  public typealias Element = Reservation

  /// The number of reservations that are fetched at a time.
  static let pageSize: Int32 = 500

  let credits: Credits
  let request: ListReservationsRequest

  /// Creates an iterator that starts at the newest reservation.
  public func makeAsyncIterator() -> Iterator {
    Iterator(credits: credits, request: request)
  }

  /// The iterator of a list of reservations, which fetches the next page when it needs one.
  public struct Iterator: AsyncIteratorProtocol {
    private var reservations: PagedRows<Reservation>

    init(credits: Credits, request: ListReservationsRequest) {
      reservations = PagedRows { token throws(RPCError) in
        var request = request
        request.pageToken = token
        let response = try await credits.stub.listReservations(request, options: credits.options)
        return (response.reservations, response.nextPageToken)
      }
    }

    /// Returns the next reservation, or `nil` at the end.
    ///
    /// - Throws: `RPCError` if a page cannot be fetched.
    public mutating func next() async throws -> Reservation? { try await reservations.next() }
  }
}
