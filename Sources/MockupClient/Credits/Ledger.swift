internal import FoundationEssentials
public import MockupAPI
internal import TTRPC

/// The entries of a user's ledger, the newest first, fetched page by page.
public struct Ledger: AsyncSequence, Sendable {
  /// One entry of the ledger.
  public typealias Element = CreditUsageEntry

  /// The number of entries that are fetched at a time.
  static let pageSize: Int32 = 500

  let credits: Credits
  let user: UUID
  let year: Int?
  let month: Int?

  /// Creates an iterator that starts at the newest entry.
  public func makeAsyncIterator() -> Iterator {
    Iterator(ledger: self)
  }

  /// The iterator of a ledger, which fetches the next page when it needs one.
  public struct Iterator: AsyncIteratorProtocol {
    private var entries: PagedRows<CreditUsageEntry>

    init(ledger: Ledger) {
      entries = PagedRows { token throws(RPCError) in
        let response = try await ledger.credits.page(of: ledger, token: token)
        return (response.entries, response.nextPageToken)
      }
    }

    /// Returns the next entry, or `nil` at the end.
    ///
    /// - Throws: `RPCError` if a page cannot be fetched.
    public mutating func next() async throws -> CreditUsageEntry? { try await entries.next() }
  }
}
