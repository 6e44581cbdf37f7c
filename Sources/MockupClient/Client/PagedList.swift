internal import TTRPC

/// A list that is fetched page by page while it is iterated over.
public struct PagedList<Element: Sendable>: AsyncSequence, Sendable {
  /// Fetches the page for a token, and returns its elements and the token of the next page, which
  /// is empty at the end.
  typealias Fetch =
    @Sendable (_ token: String) async throws(RPCError) -> (elements: [Element], next: String)

  private let fetch: Fetch

  init(_ fetch: @escaping Fetch) {
    self.fetch = fetch
  }

  /// Creates an iterator that starts at the first element.
  public func makeAsyncIterator() -> Iterator { Iterator(fetch: fetch) }

  /// The iterator of a list, which fetches the next page when it needs one.
  public struct Iterator: AsyncIteratorProtocol {
    private let fetch: Fetch
    private var page: ArraySlice<Element> = []
    /// The token of the next page; `nil` after the last one.
    private var token: String? = ""

    fileprivate init(fetch: @escaping Fetch) {
      self.fetch = fetch
    }

    /// Returns the next element, or `nil` at the end.
    ///
    /// - Throws: `RPCError` if a page cannot be fetched.
    public mutating func next() async throws -> Element? {
      while page.isEmpty, let token {
        let (elements, next) = try await fetch(token)
        page = elements[...]
        self.token = next.isEmpty ? nil : next
      }
      return page.popFirst()
    }
  }
}

/// The number of elements of a list that are fetched at a time.
let listPageSize: Int32 = 500
