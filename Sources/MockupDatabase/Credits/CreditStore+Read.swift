public import FoundationEssentials
public import MockupCore
internal import Postgres

/// The position of an entry in the user's ledger.
public struct LedgerCursor: PageCursor {
  /// The budget year of the entry.
  public var year: Int32
  /// The sequence of the entry in its year.
  public var sequence: Int64

  /// Creates a cursor from its parts, such as those of a page token.
  public init(year: Int32, sequence: Int64) {
    self.year = year
    self.sequence = sequence
  }

  /// Creates a cursor at an entry.
  public init(_ entry: LedgerEntry) {
    self.init(year: entry.period.year, sequence: entry.sequence)
  }
}

extension CreditStore {
  /// Returns a reservation in its current state, with its expiry taken into account.
  ///
  /// - Throws: ``CreditError/unknownReservation(_:)`` if the user has no reservation with the id.
  public func reservation(_ id: UUID, of userID: UUID) async throws(CreditError) -> Reservation {
    let parameters = Parameters(now(), userID, id)
    let rows = try await read(Queries.getReservation, of: userID, parameters) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return try Reservation(&columns)
    }
    guard let reservation = rows.first else { throw .unknownReservation(id) }
    return reservation
  }

  /// Returns a user's current credits in a year and month.
  ///
  /// - Parameters:
  ///   - userID: The user.
  ///   - year: The budget year; nil means the current year in UTC.
  ///   - month: The month, from 1 to 12; nil means the current month in UTC.
  /// - Throws: ``CreditError/unknownUser(_:)`` if the user does not exist.
  public func usage(
    of userID: UUID, year: Int32? = nil, month: Int32? = nil
  ) async throws(CreditError) -> Usage {
    let parameters = Parameters(now(), userID, year, month)
    let rows = try await read(Queries.getCreditUsage, of: userID, parameters) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      let period = Period(year: try columns.read(), month: try columns.read())
      return try Usage(&columns, period: period)
    }
    guard let usage = rows.first else { throw .unknownUser(userID) }
    return usage
  }

  /// Returns a page of a user's ledger, the newest entry first.
  ///
  /// - Parameters:
  ///   - userID: The user.
  ///   - year: The year to list; nil means all years.
  ///   - month: The month to list, in each of the years; nil means all months.
  ///   - cursor: The ``Page/next`` of the previous page; nil means the first page.
  ///   - count: The maximum number of entries.
  /// - Throws: ``CreditError/unknownUser(_:)`` if the user does not exist.
  public func entries(
    of userID: UUID, year: Int32? = nil, month: Int32? = nil, after cursor: LedgerCursor?,
    count: Int32
  ) async throws(CreditError) -> Page<LedgerCursor> {
    let parameters = Parameters(
      userID, year, month, cursor?.year, cursor?.sequence, Int64(count) + 1)
    let entries = try await read(Queries.listCreditUsage, of: userID, parameters) {
      row throws(PostgresError) in
      try LedgerEntry(row)
    }
    if entries.isEmpty { try await requireUser(userID) }
    return Page(entries, count: count)
  }

  /// Returns a chunk of a user's ledger, the oldest entry first.
  ///
  /// - Parameters:
  ///   - userID: The user.
  ///   - year: The year to export; nil means all years.
  ///   - month: The month to export, in each of the years; nil means all months.
  ///   - cursor: The last entry of the previous chunk; nil means the first chunk.
  ///   - count: The maximum number of entries.
  /// - Returns: The entries, or an empty array at the end.
  /// - Throws: ``CreditError/unknownUser(_:)`` if the user does not exist.
  public func export(
    of userID: UUID, year: Int32? = nil, month: Int32? = nil, after cursor: LedgerCursor?,
    count: Int32
  ) async throws(CreditError) -> [LedgerEntry] {
    let parameters = Parameters(userID, year, month, cursor?.year, cursor?.sequence, count)
    let entries = try await read(Queries.exportCreditUsage, of: userID, parameters) {
      row throws(PostgresError) in
      try LedgerEntry(row)
    }
    if entries.isEmpty { try await requireUser(userID) }
    return entries
  }

  /// Throws ``CreditError/unknownUser(_:)`` if the user does not exist.
  func requireUser(_ userID: UUID) async throws(CreditError) {
    guard try await exists(userID) else { throw .unknownUser(userID) }
  }
}
