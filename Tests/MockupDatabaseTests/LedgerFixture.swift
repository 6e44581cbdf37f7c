import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// A migrated database for one test, with a store whose clock the test controls.
struct LedgerFixture: Sendable {
  let database: MigratedDatabase
  let clock: TestClock
  let store: CreditStore
  /// The connections as the database's owner, a role with all privileges, in each partition.
  let owners: [Pool]

  /// The connections as the owner in the last partition, to which users belong by default.
  var owner: Pool { owners[owners.count - 1] }

  /// Runs a closure with an empty ledger, and expects no discrepancies at the end.
  static func with(
    at time: String = "2026-05-10T12:00:00Z", _ body: (LedgerFixture) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      let clock = try TestClock(time)
      try await database.withPool { pool in
        try await withOwners(of: database) { owners in
          let store = CreditStore(pool: pool, now: { clock.now })
          try await body(
            LedgerFixture(database: database, clock: clock, store: store, owners: owners))
        }
      }
      #expect(try await database.discrepancies() == [])
    }
  }

  /// Runs a closure with connections as the owner in each partition.
  static func withOwners(
    of database: MigratedDatabase, _ owners: [Pool] = [], _ body: ([Pool]) async throws -> Void
  ) async throws {
    guard owners.count < database.owners.count else { return try await body(owners) }
    try await database.owners[owners.count].withPool { owner in
      try await withOwners(of: database, owners + [owner], body)
    }
  }

  /// Creates a user.
  ///
  /// - Parameter partition: The number of the user's partition, of which the remainder counts; nil
  ///   for the last one.
  func user(
    budget: Int? = nil, softLimit: Int? = nil, partition: Int? = nil
  ) async throws -> UUID {
    try await database.makeUser(
      database.id(inPartition: partition), annualBudget: budget, monthlySoftLimit: softLimit)
  }

  func mockup(of user: UUID) async throws -> UUID {
    let id = UUID()
    try await run(
      """
      WITH asset AS (INSERT INTO assets (user_id) VALUES ('\(user)') RETURNING id)
      INSERT INTO mockups (id, user_id, asset_id, scene, file_url, file_key)
      SELECT '\(id)', '\(user)', id, 'bedroom', '', '' FROM asset
      """, for: user)
    return id
  }

  func setGuardrails(_ json: String, of user: UUID) async throws {
    try await run(
      "UPDATE user_settings SET guardrails = '\(json)' WHERE user_id = '\(user)'", for: user)
  }

  // MARK: Store calls

  @discardableResult
  func reserve(
    _ credits: Int32, for user: UUID, id: UUID = UUID(), operation: Operation = .generation,
    seconds: Int = 900, mockup: UUID? = nil, group: UUID? = nil, mode: ReservationMode = .normal
  ) async throws -> ReservationOutcome {
    try await store.reserve(
      ReservationRequest(
        userID: user, id: id, credits: credits, operation: operation,
        timeToLive: .seconds(seconds), mockupID: mockup, groupID: group, mode: mode))
  }

  @discardableResult
  func commit(
    _ credits: Int32? = nil, of reservation: UUID, for user: UUID, id: UUID = UUID(),
    final isFinal: Bool = true, overrun: Bool = false
  ) async throws -> SettlementOutcome {
    try await store.settle(
      Settlement(
        userID: user, reservationID: reservation,
        action: .commit(id: id, credits: credits, isFinal: isFinal, allowsOverrun: overrun)))
  }

  @discardableResult
  func dispatch(
    _ reservation: UUID, for user: UUID, seconds: Int? = nil
  ) async throws -> SettlementOutcome {
    try await store.settle(
      Settlement(
        userID: user, reservationID: reservation,
        action: .dispatch(timeToLive: seconds.map { .seconds($0) })))
  }

  @discardableResult
  func extend(
    _ reservation: UUID, for user: UUID, seconds: Int
  ) async throws -> SettlementOutcome {
    try await store.settle(
      Settlement(
        userID: user, reservationID: reservation, action: .extend(timeToLive: .seconds(seconds))))
  }

  @discardableResult
  func refund(
    _ credits: Int32? = nil, of entry: UUID, for user: UUID, id: UUID = UUID()
  ) async throws -> RefundOutcome {
    try await store.refund(Refund(userID: user, id: id, entryID: entry, credits: credits))
  }

  @discardableResult
  func release(_ reservation: UUID, for user: UUID) async throws -> SettlementOutcome {
    try await store.settle(
      Settlement(userID: user, reservationID: reservation, action: .release))
  }

  /// Reserves credits and commits them.
  func spend(
    _ credits: Int32, for user: UUID, operation: Operation = .generation,
    mockup: UUID? = nil
  ) async throws {
    let id = UUID()
    try await reserve(credits, for: user, id: id, operation: operation, mockup: mockup)
    try await commit(of: id, for: user)
  }

  /// Returns all ledger entries of a user, the oldest first.
  func entries(of user: UUID) async throws -> [LedgerEntry] {
    try await store.entries(of: user, after: nil, count: 1000).rows.reversed()
  }

  // MARK: SQL as the owner

  /// Runs a statement in the partition of a user, or in the last one.
  func run(_ sql: String, for user: UUID? = nil) async throws {
    let owner = user.map { owners[database.partition(of: $0)] } ?? owner
    try await owner.execute(Statement(sql))
  }

  /// Runs a statement in all partitions.
  func runInAll(_ sql: String) async throws {
    for owner in owners { try await owner.execute(Statement(sql)) }
  }

  /// Returns the only column of each row, as text.
  func lines(_ sql: String) async throws -> [String] {
    try await owner.lines(sql)
  }

  /// Returns the only column of each row of all partitions, as text.
  func linesOfAll(_ sql: String) async throws -> [String] {
    var lines: [String] = []
    for owner in owners { lines += try await owner.lines(sql) }
    return lines
  }
}

extension StatementExecutor {
  /// Returns the only column of each row, as text, with `∅` for a null.
  func lines(_ sql: String) async throws(PostgresError) -> [String] {
    let statement = Statement("SELECT coalesce(line::text, '∅') FROM (\(sql)) AS t (line)")
    return try await query(statement) { row throws(PostgresError) in
      try row.decode(String.self, at: 0)
    }
  }
}
