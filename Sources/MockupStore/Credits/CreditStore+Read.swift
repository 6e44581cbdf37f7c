public import FoundationEssentials
public import Mockups
internal import Postgres

/// A page of a user's ledger, the newest entry first.
public struct LedgerPage: Sendable, Hashable {
  public var entries: [LedgerEntry]
  /// Where the next page begins, if there is one.
  public var next: Cursor?

  /// The last entry of a page.
  public struct Cursor: Sendable, Hashable {
    public var year: Int32
    public var sequence: Int64

    public init(year: Int32, sequence: Int64) {
      self.year = year
      self.sequence = sequence
    }

    public init(_ entry: LedgerEntry) {
      self.init(year: entry.period.year, sequence: entry.sequence)
    }
  }
}

extension CreditStore {
  /// A reservation as it stands now.
  public func reservation(_ id: UUID, of userID: UUID) async throws(CreditError) -> Reservation {
    let parameters = Parameters(now(), userID, id)
    let rows = try await read(Queries.getReservation, parameters) { row throws(PostgresError) in
      var columns = ColumnReader(row)
      return try Reservation(&columns)
    }
    guard let reservation = rows.first else { throw .unknownReservation(id) }
    return reservation
  }

  /// A user's credits now.
  ///
  /// - Parameters:
  ///   - year: `nil`: this one.
  ///   - month: `nil`: this one's number.
  public func usage(
    of userID: UUID, year: Int32? = nil, month: Int32? = nil
  ) async throws(CreditError) -> Usage {
    let parameters = Parameters(now(), userID, year, month)
    let rows = try await read(Queries.getCreditUsage, parameters) { row throws(PostgresError) in
      var columns = ColumnReader(row)
      let period = Period(year: try columns.read(), month: try columns.read())
      return try Usage(&columns, period: period)
    }
    guard let usage = rows.first else { throw .unknownUser(userID) }
    return usage
  }

  /// A page of a user's ledger.
  ///
  /// - Parameters:
  ///   - year: Only this one; `nil`: all.
  ///   - month: Only this one of each year; `nil`: all.
  ///   - cursor: Where the page before said to go on.
  ///   - count: How many entries at most.
  public func entries(
    of userID: UUID, year: Int32? = nil, month: Int32? = nil, after cursor: LedgerPage.Cursor?,
    count: Int32
  ) async throws(CreditError) -> LedgerPage {
    // One more than the page tells whether there is another.
    let parameters = Parameters(
      userID, year, month, cursor?.year, cursor?.sequence, Int64(count) + 1)
    var entries = try await read(Queries.listCreditUsage, parameters) { row throws(PostgresError) in
      try LedgerEntry(row)
    }
    if entries.isEmpty { try await requireUser(userID) }
    guard entries.count > Int(count) else { return LedgerPage(entries: entries, next: nil) }
    entries.removeLast()
    return LedgerPage(entries: entries, next: entries.last.map(LedgerPage.Cursor.init))
  }

  /// A chunk of a user's ledger, the oldest entry first; empty at the end.
  ///
  /// - Parameters:
  ///   - year: Only this one; `nil`: all.
  ///   - cursor: The last entry before it; `nil`: from the beginning.
  ///   - count: How many entries at most.
  public func export(
    of userID: UUID, year: Int32? = nil, after cursor: LedgerPage.Cursor?, count: Int32
  ) async throws(CreditError) -> [LedgerEntry] {
    let parameters = Parameters(userID, year, cursor?.year, cursor?.sequence, count)
    let entries = try await read(Queries.exportCreditUsage, parameters) {
      row throws(PostgresError) in
      try LedgerEntry(row)
    }
    if entries.isEmpty { try await requireUser(userID) }
    return entries
  }

  /// - Throws: ``CreditError/unknownUser(_:)`` where there is none.
  func requireUser(_ userID: UUID) async throws(CreditError) {
    let exists = try await read(Queries.userExists, Parameters(userID)) {
      row throws(PostgresError) in
      try row.decode(Bool.self, at: 0)
    }
    guard exists.first == true else { throw .unknownUser(userID) }
  }

  func read<Value: Sendable>(
    _ statement: Statement, _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(CreditError) -> [Value] {
    do throws(PostgresError) {
      return try await pool.query(statement, parameters, decode)
    } catch {
      throw .database(error)
    }
  }
}
