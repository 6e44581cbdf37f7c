internal import FoundationEssentials
public import MockupAPI
internal import TTRPC

/// A user's ledger, the newest entry first. Iterating fetches it page by page.
public struct Ledger: AsyncSequence, Sendable {
  public typealias Element = CreditUsageEntry

  /// How many entries are fetched at a time.
  static let pageSize: Int32 = 500

  let credits: Credits
  let user: UUID
  let year: Int?
  let month: Int?

  public func makeAsyncIterator() -> Iterator {
    Iterator(ledger: self)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let ledger: Ledger
    private var page: ArraySlice<CreditUsageEntry> = []
    private var token: String? = ""

    init(ledger: Ledger) {
      self.ledger = ledger
    }

    /// The next entry, or nothing at the end.
    ///
    /// - Throws: ``RPCError`` where a page cannot be fetched.
    public mutating func next() async throws -> CreditUsageEntry? {
      while page.isEmpty, let token {
        let response = try await ledger.credits.page(of: ledger, token: token)
        page = response.entries[...]
        self.token = response.nextPageToken.isEmpty ? nil : response.nextPageToken
      }
      return page.popFirst()
    }
  }
}
