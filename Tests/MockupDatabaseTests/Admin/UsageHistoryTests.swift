import FoundationEssentials
import MockupCore
import MockupDatabase
import Postgres
import TestSupport
import Testing

@Suite struct UsageHistoryTests {
  /// Days since 1 January 1970.
  private enum DayNumber {
    static let january1: Int32 = 20_454  // 2026-01-01
    static let january31 = january1 + 30
    static let february1 = january1 + 31
    static let december31 = january1 + 364
  }

  private func days(
    _ admin: AdminStore, of user: UUID, _ first: Int32, _ last: Int32
  ) async throws -> [UsageHistoryInterval] {
    try await admin.usageHistory(
      UsageHistoryQuery(userID: user, unit: .day, first: first, last: last))
  }

  private func months(
    _ admin: AdminStore, of user: UUID, _ first: Int32, _ last: Int32
  ) async throws -> [UsageHistoryInterval] {
    try await admin.usageHistory(
      UsageHistoryQuery(
        userID: user, unit: .month, first: 2026 * 12 + first - 1, last: 2026 * 12 + last - 1))
  }

  @Test func `every interval of a range is returned once and in order`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user()
      let days = try await days(
        admin, of: user, DayNumber.january1, DayNumber.december31)
      #expect(days.map(\.number) == Array(DayNumber.january1...DayNumber.december31))
      #expect(days.allSatisfy { $0.used == 0 && $0.reserved == 0 && $0.released == 0 })
      let months = try await months(admin, of: user, -11, 13)
      #expect(months.map(\.number) == Array(2025 * 12...2027 * 12))
    }
  }

  @Test(arguments: [
    "mockupd.usage_history_by_day(NULL, $1, 20089, 20453)",
    "mockupd.usage_history_by_month(NULL, $1, 24300, 24311)",
  ])
  func `a history of a year reads the rows of its user and year only`(
    call: String
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      // With fewer years, an index without the year is nearly as cheap in so small a table.
      for owner in [user, try await database.makeUser()] {
        for year in 2017...2026 {
          try await database.owner.run(
            Self.statement(spending: 300, of: owner, at: "\(year)-06-10T12:00:00Z"))
        }
      }
      try await database.owner.run("ANALYZE public.mockup_credit_usage, mockupd.reservations")
      // A session of its own, whose transaction has read nothing else.
      try await database.withPool({ $0.connectionCount = 1 }) { pool in
        let rows = try await pool.withTransaction { transaction throws(PostgresError) in
          let used = try await transaction.query(
            Statement("SELECT sum(generation)::bigint FROM \(call)"), Parameters(user)
          ) { row throws(PostgresError) in try row.decode(Int64.self, at: 0) }
          let read = try await transaction.query(
            Statement(
              """
              SELECT relname || ' ' || seq_tup_read || ' ' || idx_tup_fetch
              FROM pg_stat_xact_user_tables
              WHERE relname IN ('mockup_credit_usage', 'reservations') ORDER BY relname
              """)
          ) { row throws(PostgresError) in try row.decode(String.self, at: 0) }
          return used.map { String($0) } + read
        }
        #expect(rows == ["300", "mockup_credit_usage 0 300", "reservations 0 300"])
      }
    }
  }

  /// A statement that spends single credits of a user at a time.
  private static func statement(spending count: Int, of user: UUID, at time: String) -> String {
    """
    DO $$
    DECLARE
      v_users uuid[] := array_fill('\(user)'::uuid, ARRAY[\(count)]);
      v_ids uuid[] := (SELECT array_agg(gen_random_uuid()) FROM generate_series(1, \(count)));
      v_none uuid[] := array_fill(NULL::uuid, ARRAY[\(count)]);
    BEGIN
      PERFORM mockupd.reserve('\(time)', v_users, v_ids, array_fill(1, ARRAY[\(count)]),
        array_fill('generation'::text, ARRAY[\(count)]), array_fill(900, ARRAY[\(count)]),
        v_none, v_none, array_fill('normal'::text, ARRAY[\(count)]));
      PERFORM mockupd.settle('\(time)', v_users, v_ids,
        array_fill('commit'::text, ARRAY[\(count)]), v_ids,
        array_fill(NULL::integer, ARRAY[\(count)]), array_fill(true, ARRAY[\(count)]),
        array_fill(false, ARRAY[\(count)]), array_fill(NULL::integer, ARRAY[\(count)]), v_ids);
    END
    $$
    """
  }

  @Test func `credits count on the day of the entry and in the month of the charge`() async throws {
    try await LedgerFixture.withAdmin(at: "2026-01-31T23:59:00Z") { ledger, admin in
      let user = try await ledger.user()
      let id = UUID()
      try await ledger.reserve(5, for: user, id: id)
      try ledger.clock.set("2026-02-01T00:01:00Z")
      try await ledger.commit(4, of: id, for: user)
      try await ledger.spend(2, for: user, operation: .regeneration)

      let days = try await days(admin, of: user, DayNumber.january31, DayNumber.february1)
      #expect(days.map(\.generation) == [0, 4])
      #expect(days.map(\.regeneration) == [0, 2])
      #expect(days.map(\.reserved) == [5, 2])
      #expect(days.map(\.released) == [1, 0])
      let months = try await months(admin, of: user, 1, 2)
      #expect(months.map(\.generation) == [4, 0])
      #expect(months.map(\.regeneration) == [0, 2])
      #expect(months.map(\.reserved) == [5, 2])
      #expect(months.map(\.released) == [1, 0])
    }
  }

  @Test func `a refund counts on its day, and in the month of its charge`() async throws {
    try await LedgerFixture.withAdmin(at: "2026-01-31T12:00:00Z") { ledger, admin in
      let user = try await ledger.user()
      try await ledger.spend(5, for: user)
      let charge = try #require(try await ledger.entries(of: user).first)
      try ledger.clock.set("2026-02-01T12:00:00Z")
      try await ledger.refund(3, of: charge.id, for: user)

      let days = try await days(admin, of: user, DayNumber.january31, DayNumber.february1)
      #expect(days.map(\.used) == [5, -3])
      #expect(days.map(\.refund) == [0, 3])
      #expect(try await months(admin, of: user, 1, 2).map(\.used) == [2, 0])
    }
  }

  @Test func `what is written after a year counts on the year's last day`() async throws {
    try await LedgerFixture.withAdmin(at: "2026-12-31T23:59:00Z") { ledger, admin in
      let user = try await ledger.user()
      let id = UUID()
      try await ledger.reserve(5, for: user, id: id)
      try ledger.clock.set("2027-01-01T00:01:00Z")
      try await ledger.commit(of: id, for: user)
      try await ledger.spend(1, for: user)
      let days = try await days(
        admin, of: user, DayNumber.december31, DayNumber.december31 + 1)
      #expect(days.map(\.used) == [5, 1])
    }
  }

  @Test func `reserved credits are held, spent or released`() async throws {
    try await LedgerFixture.withAdmin(at: "2026-02-01T12:00:00Z") { ledger, admin in
      let user = try await ledger.user(budget: 100)
      let ids = (0..<7).map { _ in UUID() }
      for id in ids { try await ledger.reserve(10, for: user, id: id, seconds: 3600) }
      try await ledger.reserve(1000, for: user)  // refused: grants nothing
      try await ledger.commit(of: ids[0], for: user)
      try await ledger.commit(4, of: ids[1], for: user)
      try await ledger.commit(3, of: ids[2], for: user, final: false)
      try await ledger.release(ids[3], for: user)
      try await ledger.dispatch(ids[4], for: user)
      try await ledger.commit(12, of: ids[5], for: user, overrun: true)

      func releasedAndUsed() async throws -> [Int64] {
        let day = try #require(
          try await days(admin, of: user, DayNumber.february1, DayNumber.february1).first)
        #expect(day.reserved == 70)
        return [day.released, day.used]
      }
      #expect(try await releasedAndUsed() == [6 + 10, 10 + 4 + 3 + 12])
      // Due: the held ones are available again before a sweep has recorded it, the dispatched one
      // is not.
      try ledger.clock.set("2026-02-01T13:00:00Z")
      #expect(try await releasedAndUsed() == [6 + 10 + 7 + 10, 29])
    }
  }

  /// Random entries and reservations around the ends of months and years: the intervals add up to
  /// the counters.
  @Test func `days and months add up to the year's counters`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      var random = SplitMix64(state: TestSeed.value)
      let user = try await ledger.user(budget: 100_000)
      var time = Int64(try Date("2025-12-30T00:00:00Z", strategy: .iso8601).timeIntervalSince1970)
      for _ in 0..<120 {
        time += .random(in: 60...600_000, using: &random)
        let start = Date(timeIntervalSince1970: Double(time))
        try ledger.clock.set(start.formatted(.iso8601))
        let id = UUID()
        try await ledger.reserve(.random(in: 2...9, using: &random), for: user, id: id)
        time += .random(in: 1...899, using: &random)
        try ledger.clock.set(Date(timeIntervalSince1970: Double(time)).formatted(.iso8601))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: try await ledger.release(id, for: user)
        case 1: try await ledger.commit(1, of: id, for: user)
        default: try await ledger.commit(of: id, for: user)
        }
        // Fails when all credits of the oldest charge are refunded.
        let charge = try await ledger.entries(of: user).last { $0.operation != .refund }
        if let charge { _ = try? await ledger.refund(1, of: charge.id, for: user) }
      }
      for year in 2025...2027 as ClosedRange<Int32> {
        let usage = try await ledger.store.usage(of: user, year: year, month: 1)
        let first = DayNumber.january1 + (year - 2026) * 365
        let days = try await days(admin, of: user, first, first + 364)
        let months = try await months(
          admin, of: user, (year - 2026) * 12 + 1, (year - 2026) * 12 + 12)
        for intervals in [days, months] {
          #expect(intervals.reduce(0) { $0 + $1.used } == usage.used, "\(year)")
          #expect(intervals.reduce(0) { $0 + $1.refund } == usage.refund, "\(year)")
        }
        for (month, interval) in zip(1..., months) {
          let usage = try await ledger.store.usage(of: user, year: year, month: Int32(month))
          #expect(interval.used == usage.monthlyUsed, "\(month)/\(year)")
        }
        #expect(days.reduce(0) { $0 + $1.reserved } == months.reduce(0) { $0 + $1.reserved })
        #expect(days.reduce(0) { $0 + $1.released } == months.reduce(0) { $0 + $1.released })
      }
    }
  }

  @Test func `the history of an unknown user fails`() async throws {
    try await LedgerFixture.withAdmin { _, admin in
      let nobody = UUID()
      let outcome = try await summary {
        try await days(admin, of: nobody, DayNumber.january1, DayNumber.january31)
      }
      #expect(outcome == "unknown user")
    }
  }

  @Test func `entries of the initial schema are counted`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      // Such entries have no reservation, and their time may disagree with their year.
      try await database.owner.run(
        """
        INSERT INTO public.mockup_credit_usage
          (user_id, credits, operation, balance_before, balance_after, year, month, created_at,
           sequence)
        VALUES
          ('\(user)', 3, 'generation', 10, 7, 2026, 2, '2025-06-01T00:00:00Z', 1),
          ('\(user)', 2, 'generation', 7, 5, 2026, 2, 'infinity', 2)
        """)
      try await database.withPool { pool in
        let days = try await days(
          AdminStore(pool: pool), of: user, DayNumber.january1, DayNumber.december31)
        #expect(days.first?.used == 3)
        #expect(days.last?.used == 2)
      }
    }
  }

  /// A user's ledger is read by its index, not the table, however many users there are.
  @Test func `a history reads the user's rows by an index`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      let other = try await database.makeUser()
      try await database.owner.run(
        """
        INSERT INTO public.mockup_credit_usage
          (user_id, credits, operation, balance_before, balance_after, year, month, created_at,
           sequence)
        SELECT CASE WHEN n % 100 = 0 THEN '\(user)' ELSE '\(other)' END::uuid, 1, 'generation',
          1, 0, 2026, 1 + n % 12, '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 min', n
        FROM generate_series(1, 50000) AS n
        """)
      try await database.owner.run("ANALYZE public.mockup_credit_usage")
      try await database.withPool { pool in
        let admin = AdminStore(pool: pool)
        for unit in [UsageHistoryQuery.Unit.day, .month] {
          let first = unit == .day ? DayNumber.january1 : 2026 * 12
          let plan = try await database.plan(
            of: unit == .day ? "get_usage_history_by_day" : "get_usage_history_by_month",
            "'2026-06-01', '\(user)', \(first), \(unit == .day ? first + 364 : first + 11)")
          #expect(!plan.contains("Seq Scan on mockup_credit_usage"), "\(plan)")
          #expect(!plan.contains("Seq Scan on reservations"), "\(plan)")
          let intervals = try await admin.usageHistory(
            UsageHistoryQuery(
              userID: user, unit: unit, first: first, last: unit == .day ? first + 364 : first + 11)
          )
          #expect(intervals.reduce(0) { $0 + $1.used } == 500)
        }
      }
    }
  }
}

extension MigratedDatabase {
  /// Returns the generic plan of a file of `SQL/Queries`, as the server's connections use it.
  fileprivate func plan(of name: String, _ arguments: String) async throws -> String {
    let source = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Sources/MockupDatabase/SQL/Queries/\(name).sql"),
      encoding: .utf8)
    var configuration = service
    configuration.connectionCount = 1
    return try await configuration.withPool { pool in
      try await pool.execute("SET plan_cache_mode = force_generic_plan")
      try await pool.execute(
        Statement("PREPARE history (timestamptz, uuid, integer, integer) AS \(source)"))
      let lines = try await pool.query(Statement("EXPLAIN EXECUTE history (\(arguments))")) {
        row throws(PostgresError) in
        try row.decode(String.self, at: 0)
      }
      return lines.joined(separator: "\n")
    }
  }
}
