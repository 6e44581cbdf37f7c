import FoundationEssentials
import MockupCore
import MockupDatabase
import Postgres
import TestSupport
import Testing

/// The totals of all users' credits, which the server reads for its metrics.
@Suite struct CreditTotalsTests {
  @Test func `the totals of an empty database are 0`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      _ = try await ledger.user()
      let totals = try await admin.totals()
      #expect(totals.users == 0 && totals.annualBudget == 0 && totals.used == 0)
      #expect(totals.oldestUnresolvedAt == nil && totals.oldestPendingAt == nil)
      #expect(totals.readAt == ledger.clock.now)
    }
  }

  @Test func `the totals are those of the current year's users`() async throws {
    try await LedgerFixture.withAdmin(at: "2025-12-31T12:00:00Z") { ledger, admin in
      let first = try await ledger.user(budget: 10, softLimit: 3, partition: 0)
      let second = try await ledger.user(partition: 1)
      let other = UUID()
      try await ledger.reserve(5, for: first, id: other)
      try await ledger.commit(of: other, for: first)

      try ledger.clock.set("2026-05-10T12:00:00Z")
      let charged = UUID()
      try await ledger.reserve(4, for: first, id: charged)
      let commit = try await ledger.commit(3, of: charged, for: first)
      #expect(commit.charged == 3)
      var totals = try await admin.totals()
      #expect(totals.users == 1 && totals.annualBudget == 10)
      #expect(totals.used == 3 && totals.held == 0)
      // The soft limit is reached and not passed.
      #expect(totals.usersAboveSoftLimit == 0 && totals.usersExhausted == 0)

      try await ledger.reserve(7, for: first)
      try await ledger.reserve(2, for: second)
      totals = try await admin.totals()
      #expect(totals.users == 2 && totals.annualBudget == 10 + 3500)
      #expect(totals.used == 3 && totals.held == 9)
      #expect(totals.usersAboveSoftLimit == 1 && totals.usersExhausted == 1)
      #expect(totals.openReservations == 2)

      let report = try await admin.usageReport(
        UsageReportQuery(onlyActive: true), after: nil, count: 1)
      #expect(report.totals.annualBudget == totals.annualBudget)
      #expect(report.totals.held == totals.held)
    }
  }

  @Test func `a reservation of last year that is still open counts`() async throws {
    try await LedgerFixture.withAdmin(at: "2025-12-31T23:59:00Z") { ledger, admin in
      try await ledger.reserve(1, for: try await ledger.user())
      try ledger.clock.set("2026-01-01T00:00:30Z")
      let totals = try await admin.totals()
      #expect(totals.openReservations == 1 && totals.users == 0)
    }
  }

  @Test func `unresolved reservations count before and after they are swept`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user()
      let start = ledger.clock.now
      for (number, seconds) in [900, 60, 300].enumerated() {
        let id = UUID()
        try await ledger.reserve(1, for: user, id: id, seconds: seconds)
        if number > 0 { try await ledger.dispatch(id, for: user) }
      }
      // Newer reservations, which are settled.
      for _ in 0..<20 {
        let id = UUID()
        try await ledger.reserve(1, for: user, id: id)
        try await ledger.commit(of: id, for: user)
      }
      try ledger.clock.set("2026-05-10T14:00:00Z")
      let before = try await admin.totals()
      #expect(before.unresolvedReservations == 2)
      #expect(before.oldestUnresolvedAt == start.addingTimeInterval(60))

      try await ledger.withSweepers(1) { sweepers in
        _ = try await sweepers[0].sweepReservations(limit: 100)
      }
      let after = try await admin.totals()
      #expect(after.unresolvedReservations == 2 && after.openReservations == 0)
      #expect(after.oldestUnresolvedAt == start.addingTimeInterval(60))
      #expect(after.held == 2)
    }
  }

  @Test func `pending and leased mockups are counted`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user()
      let asset = UUID()
      try await ledger.run("INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      try await ledger.database.withPool { pool in
        let mockups = MockupStore(pool: pool, now: { [clock = ledger.clock] in clock.now })
        let requestedAt = ledger.clock.now
        _ = try await mockups.generate(
          try GenerationRequest(
            userID: user, id: UUID(), assetIDs: [asset],
            scenes: ["bedroom", "home_office", "reading_nook"]))
        try ledger.clock.set("2026-05-10T12:05:00Z")
        _ = try await mockups.claim(worker: "w", count: 1, lease: .seconds(60))
        let totals = try await admin.totals()
        #expect(totals.pendingMockups == 2 && totals.leasedMockups == 1)
        #expect(totals.oldestPendingAt == requestedAt)
        // Another program has given up the mockups.
        try await ledger.run("UPDATE mockups SET status = 'failed' WHERE status = 'pending'")
        let later = try await admin.totals()
        #expect(later.pendingMockups == 0 && later.oldestPendingAt == nil)
      }
    }
  }

  @Test func `reading the totals does not read the ledger`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user()
      try await ledger.reserve(1, for: user)
      // A statement that reads the ledger would wait for this lock.
      let totals = try await ledger.owner.withTransaction {
        transaction throws(PostgresError) -> Result<CreditTotals, CreditError> in
        try await transaction.execute(
          Statement("LOCK TABLE public.mockup_credit_usage IN ACCESS EXCLUSIVE MODE"))
        do throws(CreditError) {
          return .success(try await admin.totals())
        } catch {
          return .failure(error)
        }
      }
      #expect(try totals.get().held == 1)
    }
  }
}
