public import MockupAPI
internal import TTRPC

/// A user's mockups, the newest first. Iterating fetches them page by page.
public struct MockupList: AsyncSequence, Sendable {
  public typealias Element = Mockup

  /// How many are fetched at a time.
  static let pageSize: Int32 = 500

  let mockups: Mockups
  let request: ListMockupsRequest

  public func makeAsyncIterator() -> Iterator {
    Iterator(list: self)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let list: MockupList
    private var page: ArraySlice<Mockup> = []
    private var token: String? = ""

    init(list: MockupList) {
      self.list = list
    }

    /// The next mockup, or nothing at the end.
    ///
    /// - Throws: ``RPCError`` where a page cannot be fetched.
    public mutating func next() async throws -> Mockup? {
      while page.isEmpty, let token {
        var request = list.request
        request.pageToken = token
        let response = try await list.mockups.stub.listMockups(
          request, options: list.mockups.options)
        page = response.mockups[...]
        self.token = response.nextPageToken.isEmpty ? nil : response.nextPageToken
      }
      return page.popFirst()
    }
  }
}
