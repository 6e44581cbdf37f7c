internal import FoundationEssentials
internal import Mockups
internal import Postgres

// The domain's values, read from columns in the order in which the queries list them.

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
      state: try ReservationState(databaseWord: try columns.read()),
      credits: try columns.read(),
      granted: try columns.read(),
      held: try columns.read(),
      committed: try columns.read(),
      overrun: try columns.read(),
      operation: try Operation(databaseWord: try columns.read()),
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
  /// A word that a check of the schema holds to ours; another one is a schema that is not ours.
  init(databaseWord: String) throws(PostgresError) {
    guard let value = Self(rawValue: databaseWord) else {
      throw PostgresError(.decoding, "\(Self.self) has no case \"\(databaseWord)\"")
    }
    self = value
  }
}

extension CreditError {
  /// The error behind an outcome such as `conflicting_credits`.
  static func conflicting(_ outcome: String) -> CreditError {
    let prefix = "conflicting_"
    guard outcome.hasPrefix(prefix),
      let field = Conflict(rawValue: String(outcome.dropFirst(prefix.count)))
    else { return .database(.unexpectedAnswer(outcome)) }
    return .conflict(field)
  }
}

extension PostgresError {
  /// The schema's functions and this program do not belong together.
  static func unexpectedAnswer(_ what: String) -> PostgresError {
    PostgresError(.decoding, "the database's answer makes no sense: \(what)")
  }
}
