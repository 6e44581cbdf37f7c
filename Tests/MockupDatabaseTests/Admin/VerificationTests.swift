import FoundationEssentials
import MockupSchema
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

@Suite struct VerificationTests {
  @Test func `every user is verified once and each discrepancy is reported`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      var users: [UUID] = []
      for number in 0..<7 {
        // The damaged users belong to different partitions.
        let user = try await ledger.user(partition: number / 3)
        try await ledger.spend(3, for: user)
        users.append(user)
      }
      _ = try await ledger.user()
      let damaged = [users[1], users[5]]
      let ids = damaged.map { "'\($0)'" }.joined(separator: ", ")
      try await ledger.runInAll(
        """
        UPDATE mockupd.credit_counters SET generation = generation + 1, entries = entries + 1
        WHERE user_id IN (\(ids))
        """)

      for count: Int32 in [1, 2, 8, 100] {
        var found: [Discrepancy] = []
        var verified = 0
        var last: UUID?
        repeat {
          let step = try await admin.verify(after: last, count: count)
          #expect(step.users <= Int(count))
          verified += step.users
          found += step.discrepancies
          last = step.last
        } while last != nil && verified < 100
        #expect(verified == 8)
        #expect(found.map(\.userID).filter(damaged.contains).count == found.count)
        #expect(
          Set(found.map { "\($0.userID) \($0.year) \($0.description)" })
            == Set(
              damaged.flatMap {
                [
                  "\($0) 2026 entries: the counter is 2, but should be 1",
                  "\($0) 2026 generation: the counter is 4, but should be 3",
                ]
              }))
        #expect(found.count == 4)
      }

      #expect(try await admin.verify(users[1]).count == 2)
      #expect(try await admin.verify(users[0]).isEmpty)
      await #expect(throws: CreditError.self) { try await admin.verify(UUID()) }

      try await ledger.runInAll(
        """
        UPDATE mockupd.credit_counters SET generation = generation - 1, entries = entries - 1
        WHERE user_id IN (\(ids))
        """)
    }
  }

  @Test func `a database without users has no discrepancies`() async throws {
    try await LedgerFixture.withAdmin { _, admin in
      let step = try await admin.verify(after: nil, count: 10)
      #expect(step.discrepancies.isEmpty)
      #expect(step.users == 0)
      #expect(step.last == nil)
    }
  }

  @Test func `the facts describe the database`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let facts = try await admin.facts()
      #expect(Int(facts.schemaVersion) == Schema.migrations.last?.version)
      #expect(facts.version.hasPrefix("PostgreSQL "))
      #expect(facts.pendingMockups == 0)
      #expect(facts.unresolvedReservations == 0)
      #expect(facts.readAt == ledger.clock.now)
    }
  }

  @Test func `a mockup that no worker can claim is not counted as pending`() async throws {
    try await WorkerFixture.with { fixture in
      try await fixture.ledger.database.withPool { pool in
        let admin = AdminStore(pool: pool, now: { fixture.ledger.clock.now })
        func pending() async throws -> Int64 { try await admin.facts().pendingMockups }
        let user = try await fixture.ledger.user()
        // A mockup that is inserted by SQL has no job.
        _ = try await fixture.ledger.mockup(of: user)
        #expect(try await pending() == 0)
        _ = try await fixture.pending(of: user, seconds: 60)
        let settled = try await fixture.pending(of: user, seconds: 3600)
        _ = try await fixture.pending(of: user, seconds: 3600)
        #expect(try await pending() == 3)
        // The first reservation expires.
        fixture.ledger.clock.advance(by: 60)
        #expect(try await pending() == 2)
        let reservation = try await fixture.store.mockup(settled, of: user).reservationID
        try await fixture.ledger.release(try #require(reservation), for: user)
        #expect(try await pending() == 1)
        let claimed = try await fixture.claim(10)
        #expect(claimed.count == 1)
        #expect(try await pending() == 0)
      }
    }
  }
}
