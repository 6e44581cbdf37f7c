internal import TTRPC

/// The rows of a list, of which the next page is fetched when it is needed.
struct PagedRows<Row> {
  /// Fetches the page for a token, and returns its rows and the token of the next page, which is
  /// empty at the end.
  typealias Fetch = (_ token: String) async throws(RPCError) -> (rows: [Row], next: String)

  private let fetch: Fetch
  private var page: ArraySlice<Row> = []
  /// The token of the next page; `nil` after the last one.
  private var token: String? = ""

  init(_ fetch: @escaping Fetch) {
    self.fetch = fetch
  }

  /// Returns the next row, or `nil` at the end.
  mutating func next() async throws(RPCError) -> Row? {
    while page.isEmpty, let token {
      let (rows, next) = try await fetch(token)
      page = rows[...]
      self.token = next.isEmpty ? nil : next
    }
    return page.popFirst()
  }
}
