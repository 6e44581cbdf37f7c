internal import FoundationEssentials
internal import MockupCore
internal import Postgres

// These initializers read the domain's types from columns in the order in which the queries list
// them.

extension Usage {
  init(_ columns: inout ColumnReader, period: Period) throws(PostgresError) {
    self.init(
      period: period,
      annualBudget: try columns.read(),
      monthlySoftLimit: try columns.read(),
      generation: try columns.read(),
      regeneration: try columns.read(),
      refund: try columns.read(),
      held: try columns.read(),
      monthlyUsed: try columns.read(),
      monthlyHeld: try columns.read())
  }
}

extension Reservation {
  init(_ columns: inout ColumnReader) throws(PostgresError) {
    self.init(
      userID: try columns.read(),
      id: try columns.read(),
      state: try ReservationState(databaseValue: try columns.read()),
      credits: try columns.read(),
      granted: try columns.read(),
      held: try columns.read(),
      committed: try columns.read(),
      overrun: try columns.read(),
      operation: try Operation(databaseValue: try columns.read()),
      period: Period(year: try columns.read(), month: try columns.read()),
      createdAt: try columns.read(),
      expiresAt: try columns.read(),
      dispatchedAt: try columns.read(),
      settledAt: try columns.read(),
      mockupID: try columns.read(),
      groupID: try columns.read(),
      commitID: try columns.read(),
      isLate: try columns.read())
  }
}

extension LedgerEntry {
  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    try self.init(&columns)
  }

  init(_ columns: inout ColumnReader) throws(PostgresError) {
    self.init(
      id: try columns.read(),
      userID: try columns.read(),
      sequence: try columns.read(),
      credits: try columns.read(),
      operation: Operation(rawValue: try columns.read()),
      balanceBefore: try columns.read(),
      balanceAfter: try columns.read(),
      period: Period(year: try columns.read(), month: try columns.read()),
      createdAt: try columns.read(),
      mockupID: try columns.read(),
      reservationID: try columns.read(),
      isLate: try columns.read(),
      overrun: try columns.read(),
      refundedEntryID: try columns.read())
  }
}

extension RawRepresentable<String> {
  /// Reads a value that a check constraint limits to the known cases.
  ///
  /// - Throws: ``PostgresError`` for another value, which means that the schema does not match.
  init(databaseValue: String) throws(PostgresError) {
    guard let value = Self(rawValue: databaseValue) else {
      throw PostgresError(.decoding, "\(Self.self) has no case \"\(databaseValue)\"")
    }
    self = value
  }
}

extension CreditError {
  /// Returns the error for an outcome such as `conflicting_credits`.
  static func conflicting(_ outcome: String) -> CreditError {
    guard let field = conflictingField(of: outcome).flatMap(Conflict.init) else {
      return .database(.unexpectedAnswer(outcome))
    }
    return .conflict(field)
  }
}

extension PostgresError {
  /// Returns the error for a result that the schema's functions should not have returned.
  static func unexpectedAnswer(_ what: String) -> PostgresError {
    PostgresError(.decoding, "unexpected result from the database: \(what)")
  }
}
