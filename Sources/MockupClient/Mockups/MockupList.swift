public import MockupAPI
internal import TTRPC

/// A user's mockups, the newest first, fetched page by page.
public struct MockupList: AsyncSequence, Sendable {
  /// One mockup of the list.
  public typealias Element = Mockup

  /// The number of mockups that are fetched at a time.
  static let pageSize: Int32 = 500

  let mockups: Mockups
  let request: ListMockupsRequest

  /// Creates an iterator that starts at the newest mockup.
  public func makeAsyncIterator() -> Iterator {
    Iterator(list: self)
  }

  /// The iterator of a list of mockups, which fetches the next page when it needs one.
  public struct Iterator: AsyncIteratorProtocol {
    private var rows: PagedRows<Mockup>

    init(list: MockupList) {
      rows = PagedRows { token throws(RPCError) in
        var request = list.request
        request.pageToken = token
        let response = try await list.mockups.stub.listMockups(
          request, options: list.mockups.options)
        return (response.mockups, response.nextPageToken)
      }
    }

    /// Returns the next mockup, or `nil` at the end.
    ///
    /// - Throws: `RPCError` if a page cannot be fetched.
    public mutating func next() async throws -> Mockup? { try await rows.next() }
  }
}
