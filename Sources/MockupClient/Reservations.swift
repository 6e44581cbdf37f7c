internal import FoundationEssentials
public import MockupAPI
internal import TTRPC

/// A user's reservations, the newest first. Iterating fetches them page by page.
public struct Reservations: AsyncSequence, Sendable {
  public typealias Element = Reservation

  /// How many are fetched at a time.
  static let pageSize: Int32 = 500

  let credits: Credits
  let request: ListReservationsRequest

  public func makeAsyncIterator() -> Iterator {
    Iterator(credits: credits, request: request)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let credits: Credits
    /// What asks for the next page; nothing after the last.
    private var request: ListReservationsRequest?
    private var page: ArraySlice<Reservation> = []

    init(credits: Credits, request: ListReservationsRequest) {
      self.credits = credits
      self.request = request
    }

    /// The next reservation, or nothing at the end.
    ///
    /// - Throws: ``RPCError`` where a page cannot be fetched.
    public mutating func next() async throws -> Reservation? {
      while page.isEmpty, var request {
        let response = try await credits.stub.listReservations(request, options: credits.options)
        page = response.reservations[...]
        request.pageToken = response.nextPageToken
        self.request = response.nextPageToken.isEmpty ? nil : request
      }
      return page.popFirst()
    }
  }
}
