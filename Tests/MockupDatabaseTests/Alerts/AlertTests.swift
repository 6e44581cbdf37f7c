import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// The alerts that changes of a user's credits write.
@Suite struct AlertTests {
  /// An empty ledger, whose alerts are read from the last one that was read before.
  private final class Fixture {
    let ledger: LedgerFixture
    let admin: AdminStore
    let feed: AlertFeed
    private var last: Int64 = 0

    init(_ ledger: LedgerFixture, _ admin: AdminStore) {
      self.ledger = ledger
      self.admin = admin
      feed = AlertFeed(pool: ledger.owner)
    }

    /// Returns the new alerts as `threshold of period: credits/limit`.
    func news() async throws -> [String] {
      let alerts = try await feed.alerts(after: last, count: 1000)
      #expect(alerts.map(\.id) == (0..<alerts.count).map { last + 1 + Int64($0) })
      last = alerts.last?.id ?? last
      return alerts.map { alert in
        let month = alert.month.map { "-\($0)" } ?? ""
        return "\(alert.threshold) of \(alert.year)\(month): \(alert.credits)/\(alert.limit)"
      }
    }

    func setBudget(_ annual: Int32?, _ monthly: Int32? = nil, of user: UUID) async throws {
      _ = try await admin.setBudget(
        of: user, annualBudget: annual, monthlySoftLimit: monthly, changedBy: "test")
    }
  }

  private static func with(_ body: (Fixture, LedgerFixture) async throws -> Void) async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      try await body(Fixture(ledger, admin), ledger)
    }
  }

  @Test func `each threshold of the year has one alert when it is reached`() async throws {
    try await Self.with { alerts, ledger in
      let user = try await ledger.user(budget: 100, softLimit: 1_000_000)
      let reached = [
        50: "50 of 2026: 50/100", 80: "80 of 2026: 80/100", 90: "90 of 2026: 90/100",
        100: "100 of 2026: 100/100",
      ]
      for credits in 1...100 {
        let id = try await ledger.reserve(1, for: user).reservation.id
        #expect(try await alerts.news() == (reached[credits].map { [$0] } ?? []), "\(credits)")
        // A commit of held credits changes nothing about their sum.
        try await ledger.commit(of: id, for: user)
        #expect(try await alerts.news() == [], "\(credits)")
      }
      #expect(try await ledger.reserve(1, for: user).admission.isAdmitted == false)
      #expect(try await alerts.news() == [])
    }
  }

  @Test func `each threshold of a month's soft limit has one alert in each month`() async throws {
    try await Self.with { alerts, ledger in
      let user = try await ledger.user(budget: 1_000_000, softLimit: 10)
      for month in [5, 6] {
        for (credits, expected) in [
          (4, []), (1, ["50 of 2026-\(month): 5/10"]), (2, []), (1, ["80 of 2026-\(month): 8/10"]),
          (1, ["90 of 2026-\(month): 9/10"]), (1, ["100 of 2026-\(month): 10/10"]), (90, []),
        ] as [(Int32, [String])] {
          try await ledger.reserve(credits, for: user, seconds: 86_400)
          #expect(try await alerts.news() == expected, "\(month)")
        }
        ledger.clock.advance(by: 31 * 86_400)
      }
      // A reservation of last month is charged to it.
      #expect(try await alerts.news() == [])
    }
  }

  /// A scan of the table is disabled in the function, and has a cost at which PostgreSQL compiles
  /// the statement, for half a second, while the user's counters are locked.
  @Test func `an alert is written without a scan of the feed's table`() async throws {
    try await Self.with { alerts, ledger in
      let user = try await ledger.user(budget: 10, softLimit: 1000)
      try await ledger.database.withOwner { pool in
        let scans = try await pool.withTransaction { transaction throws(PostgresError) in
          try await transaction.execute(
            Statement(
              """
              SELECT mockupd.reserve('2026-05-10T12:00:00Z', ARRAY[$1], ARRAY[gen_random_uuid()],
                ARRAY[6], ARRAY['generation'], ARRAY[900], ARRAY[NULL::uuid], ARRAY[NULL::uuid],
                ARRAY['normal'])
              """), Parameters(user))
          return try await transaction.query(
            Statement(
              """
              SELECT seq_scan || ' ' || idx_scan FROM pg_stat_xact_user_tables
              WHERE relname = 'alert_feed'
              """)
          ) { row throws(PostgresError) in try row.decode(String.self, at: 0) }
        }
        #expect(scans == ["0 1"])
      }
      #expect(try await alerts.news() == ["50 of 2026: 6/10"])
    }
  }

  @Test func `several thresholds that are reached at once have an alert each`() async throws {
    try await Self.with { alerts, ledger in
      let user = try await ledger.user(budget: 100, softLimit: 90)
      try await ledger.reserve(85, for: user)
      #expect(
        try await alerts.news() == [
          "50 of 2026: 85/100", "80 of 2026: 85/100", "50 of 2026-5: 85/90", "80 of 2026-5: 85/90",
          "90 of 2026-5: 85/90",
        ])
    }
  }

  @Test func `a batch writes each user's alerts once`() async throws {
    try await Self.with { alerts, ledger in
      let users = [
        try await ledger.user(budget: 10, softLimit: 1000),
        try await ledger.user(budget: 20, softLimit: 1000),
      ]
      let requests = try (0..<12).flatMap { _ in
        try users.map { try ReservationRequest(userID: $0, id: UUID(), credits: 1) }
      }
      _ = try await ledger.store.reserve(requests)
      let news = try await alerts.news()
      #expect(
        Set(news) == [
          "50 of 2026: 10/10", "80 of 2026: 10/10", "90 of 2026: 10/10", "100 of 2026: 10/10",
          "50 of 2026: 12/20",
        ])
      #expect(news.count == 5)
    }
  }

  @Test(arguments: ["release", "refund", "expiry", "partial commit", "budget"])
  func `a threshold has another alert only after the credits fell below it`(
    _ way: String
  ) async throws {
    try await Self.with { alerts, ledger in
      let user = try await ledger.user(budget: 100, softLimit: 1_000_000)
      try await ledger.spend(48, for: user)
      for _ in 0..<3 {
        let id = try await ledger.reserve(4, for: user, seconds: 60).reservation.id
        #expect(try await alerts.news() == ["50 of 2026: 52/100"], "\(way)")
        // Still at the threshold.
        let small = try await ledger.reserve(1, for: user).reservation.id
        try await ledger.release(small, for: user)
        #expect(try await alerts.news() == [], "\(way)")
        switch way {
        case "release": try await ledger.release(id, for: user)
        case "partial commit":
          try await ledger.commit(1, of: id, for: user)
          try await ledger.refund(
            of: try #require(try await ledger.entries(of: user).last).id, for: user)
        case "refund":
          try await ledger.commit(of: id, for: user)
          try await ledger.refund(
            of: try #require(try await ledger.entries(of: user).last).id, for: user)
        case "expiry": ledger.clock.advance(by: 60)
        default:
          try await alerts.setBudget(200, of: user)
          try await ledger.release(id, for: user)
          try await alerts.setBudget(100, of: user)
        }
        #expect(try await alerts.news() == [], "\(way)")
      }
    }
  }

  @Test func `a lower budget or soft limit writes the alerts of the present period`() async throws {
    try await Self.with { alerts, ledger in
      let user = try await ledger.user(budget: 1000, softLimit: 1000)
      try await ledger.spend(60, for: user)
      ledger.clock.advance(by: 31 * 86_400)
      try await ledger.spend(40, for: user)
      #expect(try await alerts.news() == [])
      try await alerts.setBudget(110, of: user)
      #expect(
        try await alerts.news() == [
          "50 of 2026: 100/110", "80 of 2026: 100/110", "90 of 2026: 100/110",
        ])
      try await alerts.setBudget(110, of: user)
      #expect(try await alerts.news() == [])
      try await alerts.setBudget(0, of: user)
      #expect(try await alerts.news() == ["100 of 2026: 100/0"])
      // May had 60 credits, and is over.
      try await alerts.setBudget(nil, 50, of: user)
      #expect(try await alerts.news() == ["50 of 2026-6: 40/50", "80 of 2026-6: 40/50"])
      // Raised and lowered again.
      try await alerts.setBudget(1000, 1000, of: user)
      try await alerts.setBudget(199, nil, of: user)
      #expect(try await alerts.news() == ["50 of 2026: 100/199"])
    }
  }

  @Test func `a limit that was changed by another program counts with the next change`()
    async throws
  {
    try await Self.with { alerts, ledger in
      let user = try await ledger.user(budget: 100, softLimit: 1000)
      try await ledger.spend(40, for: user)
      try await ledger.setGuardrails(#"{"annual_mockup_budget": 50}"#, of: user)
      #expect(try await alerts.news() == [])
      try await ledger.reserve(1, for: user)
      #expect(try await alerts.news() == ["50 of 2026: 41/50", "80 of 2026: 41/50"])
    }
  }

  @Test func `an alert's limit was reached, even if it was raised meanwhile`() async throws {
    try await Self.with { alerts, ledger in
      let user = try await ledger.user(budget: 100, softLimit: 1000)
      // After the statement has read the budget, and before the alert is written.
      try await ledger.run(
        """
        CREATE FUNCTION public.raise_budgets() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          UPDATE public.user_settings SET guardrails = '{"annual_mockup_budget": 1000}';
          RETURN NEW;
        END $$
        """)
      try await ledger.run(
        """
        CREATE TRIGGER raise_budgets BEFORE UPDATE ON mockupd.credit_counters
        FOR EACH ROW EXECUTE FUNCTION public.raise_budgets()
        """)
      try await ledger.reserve(55, for: user)
      #expect(try await alerts.news() == ["50 of 2026: 55/110"])
    }
  }

  @Test func `refused, replayed and rolled back calls write no alerts`() async throws {
    try await Self.with { alerts, ledger in
      let user = try await ledger.user(budget: 10, softLimit: 1000)
      try await ledger.reserve(11, for: user)
      #expect(try await alerts.news() == [])
      let id = UUID()
      try await ledger.reserve(6, for: user, id: id)
      #expect(try await alerts.news() == ["50 of 2026: 6/10"])
      try await ledger.reserve(6, for: user, id: id)
      try await ledger.commit(of: id, for: user, id: id)
      try await ledger.commit(of: id, for: user, id: id)
      try await ledger.reserve(5, for: user)
      #expect(try await alerts.news() == [])
      // The second reservation is refused, so the batch is rolled back.
      _ = try await ledger.store.reserve(
        [
          try ReservationRequest(userID: user, id: UUID(), credits: 3),
          try ReservationRequest(userID: user, id: UUID(), credits: 3),
        ], allOrNothing: true)
      #expect(try await alerts.news() == [])
      _ = try await alerts.admin.setBudget(
        of: user, annualBudget: 6, monthlySoftLimit: nil, changedBy: "test", isTrial: true)
      #expect(try await alerts.news() == [])
    }
  }

  @Test func `a default budget has alerts, and 0 credits reach no threshold`() async throws {
    try await Self.with { alerts, ledger in
      let user = UUID()
      try await ledger.run("INSERT INTO auth.users (id) VALUES ('\(user)')")
      try await ledger.reserve(146, for: user)
      #expect(try await alerts.news() == ["50 of 2026-5: 146/292"])
      let poor = try await ledger.user(budget: 0, softLimit: 0)
      try await ledger.reserve(1, for: poor)
      try await alerts.setBudget(1, of: poor)
      try await alerts.setBudget(0, of: poor)
      #expect(try await alerts.news() == [])
    }
  }

  @Test func `the verifier finds a missing alert and one with too few credits`() async throws {
    try await Self.with { alerts, ledger in
      let user = try await ledger.user(budget: 10, softLimit: 10)
      try await ledger.reserve(8, for: user)
      #expect(try await alerts.admin.verify(user) == [])
      try await ledger.run("DELETE FROM mockupd.alerts WHERE threshold = 80 AND month IS NULL")
      try await ledger.run("DELETE FROM mockupd.alerts WHERE threshold = 50 AND month = 5")
      try await ledger.run("UPDATE mockupd.alerts SET credits = 7 WHERE threshold = 80")
      #expect(
        Set(try await alerts.admin.verify(user).map(\.description)) == [
          "80 % of the annual budget: reached, but there is no alert",
          "50 % of the soft limit in month 5: reached, but there is no alert",
          "alert 4: 7 credits are less than 80 % of 10",
        ])
      try await ledger.run("DELETE FROM mockupd.alerts")
      try await ledger.run(
        """
        UPDATE mockupd.credit_counters
        SET year_level = 0, month_levels = array_fill(0::smallint, ARRAY[12])
        """)
    }
  }

  @Test func `alerts are listed by user, the newest first, and deleted with the user`()
    async throws
  {
    try await Self.with { alerts, ledger in
      let users = [
        try await ledger.user(budget: 10, softLimit: 1000),
        try await ledger.user(budget: 10, softLimit: 1000),
      ]
      for user in users { for _ in 0..<10 { try await ledger.reserve(1, for: user) } }
      #expect(try await alerts.feed.lastPosition() == 8)
      let first = try await alerts.feed.alerts(before: nil, count: 3)
      #expect(first.map(\.id) == [8, 7, 6])
      let rest = try await alerts.feed.alerts(before: [6], count: 10)
      #expect(rest.map(\.id) == [5, 4, 3, 2, 1])
      let own = try await alerts.feed.alerts(of: users[0], before: nil, count: 10)
      #expect(own.map(\.threshold) == [100, 90, 80, 50])
      try await ledger.run("DELETE FROM auth.users WHERE id = '\(users[0])'")
      #expect(try await alerts.feed.alerts(after: 0, count: 100).count == 4)
      #expect(try await alerts.feed.lastPosition() == 8)
    }
  }

  /// Sessions that reach thresholds at the same time, while a reader continues from what it has.
  @Test func `a reader who continues after the last alert misses none`() async throws {
    try await Self.with { alerts, ledger in
      let count = 12
      var users: [UUID] = []
      for _ in 0..<count {
        users.append(try await ledger.user(budget: 100, softLimit: 1_000_000))
      }
      let store = ledger.store
      let isOver = Flag()
      let feed = alerts.feed
      async let read = {
        var ids: [Int64] = []
        while true {
          let wasOver = isOver.isSet
          let page = try await feed.alerts(after: ids.last ?? 0, count: 7)
          ids += page.map(\.id)
          if page.isEmpty, wasOver { return ids }
        }
      }()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for user in users {
          group.addTask {
            for _ in 0..<100 {
              _ = try await store.reserve(
                ReservationRequest(userID: user, id: UUID(), credits: 1))
            }
          }
        }
        try await group.waitForAll()
      }
      isOver.set()
      #expect(try await read == (1...Int64(4 * count)).map { $0 })
    }
  }
}
