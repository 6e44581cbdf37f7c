internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

/// An export of ledger entries in messages that fit the limit of a response.
struct LedgerExport<Cursor: PageCursor> where Cursor.Row == LedgerEntry {
  /// The maximum number of entries in one message.
  static var entriesPerMessage: Int32 { 500 }

  let limit: ResponseLimit

  /// Exports the entries after a cursor.
  ///
  /// - Parameters:
  ///   - start: The cursor of the last entry that the caller has; `nil` to export from the first.
  ///   - read: Returns the next entries after a cursor, at most ``entriesPerMessage``; none at the
  ///     end.
  ///   - write: Sends a message of entries, and the cursor of the last one.
  func run(
    after start: Cursor?, read: (Cursor?) async throws -> [LedgerEntry],
    write: ([CreditUsageEntry], Cursor) async throws -> Void
  ) async throws {
    var last = start
    while true {
      var rest = try await read(last)[...]
      if rest.isEmpty { return }
      while !rest.isEmpty {
        let (entries, _) = try limit.page(of: rest, \.rowName, { CreditUsageEntry($0) })
        let next = Cursor(rest[rest.startIndex + entries.count - 1])
        try await write(entries, next)
        rest.removeFirst(entries.count)
        last = next
      }
    }
  }
}

extension LedgerEntry {
  /// The name of the entry in errors.
  var rowName: String { "ledger entry \(id.wireText)" }
}
