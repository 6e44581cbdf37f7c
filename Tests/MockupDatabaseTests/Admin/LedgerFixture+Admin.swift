import FoundationEssentials
import MockupDatabase
import Postgres
import TestSupport

extension LedgerFixture {
  /// Runs a closure with an empty ledger and an administration store of the server's login.
  static func withAdmin(
    at time: String = "2026-05-10T12:00:00Z",
    _ body: (LedgerFixture, AdminStore) async throws -> Void
  ) async throws {
    try await with(at: time) { ledger in
      try await ledger.database.withPool { pool in
        try await body(ledger, AdminStore(pool: pool, now: { [clock = ledger.clock] in clock.now }))
      }
    }
  }

  /// Runs a closure with several sweepers, each with its own connection.
  func withSweepers(
    _ count: Int, _ sweepers: [SweepStore] = [], _ body: ([SweepStore]) async throws -> Void
  ) async throws {
    guard sweepers.count < count else { return try await body(sweepers) }
    try await database.withPool({ $0.connectionCount = 1 }) { pool in
      let sweeper = SweepStore(pool: pool, now: { [clock] in clock.now })
      try await withSweepers(count, sweepers + [sweeper], body)
    }
  }
}

extension AdminStore {
  /// Returns every line of a report, fetched page by page.
  func lines(
    of query: UsageReportQuery, pageSize: Int32 = 3,
    afterEach: (UsageReportPage) async throws -> Void = { _ in }
  ) async throws -> [UserUsage] {
    var users: [UserUsage] = []
    var cursor: UsageReportPage.Cursor?
    repeat {
      let page = try await usageReport(query, after: cursor, count: pageSize)
      users += page.users
      cursor = page.next
      try await afterEach(page)
    } while cursor != nil && users.count < 1000
    return users
  }
}
