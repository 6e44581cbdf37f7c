public import FoundationEssentials
public import MockupCore
internal import Postgres

/// The position of an entry in the ledgers of all users.
public struct ExportCursor: PageCursor {
  /// The id of the entry's user.
  public var userID: UUID
  /// The position in the user's ledger.
  public var entry: LedgerCursor

  /// Creates a cursor from its parts, such as those of a resume token.
  public init(userID: UUID, entry: LedgerCursor) {
    self.userID = userID
    self.entry = entry
  }

  /// Creates a cursor at an entry.
  public init(_ entry: LedgerEntry) {
    self.init(userID: entry.userID, entry: LedgerCursor(entry))
  }
}

extension AdminStore {
  /// Returns a chunk of the ledgers of all users, user by user, each from the oldest entry.
  ///
  /// - Parameters:
  ///   - year: The year to export; nil means all years.
  ///   - month: The month to export, in each of the years; nil means all months.
  ///   - cursor: The last entry of the previous chunk; nil means the first chunk.
  ///   - count: The maximum number of entries.
  /// - Returns: The entries, or an empty array at the end.
  public func export(
    year: Int32?, month: Int32?, after cursor: ExportCursor?, count: Int32
  ) async throws(CreditError) -> [LedgerEntry] {
    let parameters = Parameters(
      year, month, cursor?.userID, cursor?.entry.year, cursor?.entry.sequence, count)
    return try await read(Queries.exportLedger, parameters) { row throws(PostgresError) in
      try LedgerEntry(row)
    }
  }
}
