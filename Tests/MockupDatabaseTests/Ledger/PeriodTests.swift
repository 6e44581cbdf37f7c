import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

@Suite struct PeriodTests {
  @Test func `a commit is charged to the year of its reservation`() async throws {
    try await LedgerFixture.with(at: "2025-12-31T23:59:59Z") { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(6, for: user, id: id)
      try ledger.clock.set("2026-01-01T00:00:00Z")
      #expect(
        try await summary { try await ledger.reserve(10, for: user) } == "admitted, 0 remaining")
      let outcome = try await ledger.commit(of: id, for: user)
      #expect(outcome.reservation.period == Period(year: 2025, month: 12))
      #expect(outcome.usage.period == Period(year: 2025, month: 12))
      #expect(outcome.usage.generation == 6)

      let december = try await ledger.store.usage(of: user, year: 2025, month: 12)
      #expect(december.generation == 6)
      #expect(december.monthlyUsed == 6)
      #expect(december.held == 0)
      #expect(december.available == 4)
      let january = try await ledger.store.usage(of: user)
      #expect(january.period == Period(year: 2026, month: 1))
      #expect(january.used == 0)
      #expect(january.held == 10)
      let entry = try #require(try await ledger.entries(of: user).first)
      #expect(entry.period == Period(year: 2025, month: 12))
      #expect(entry.createdAt == ledger.clock.now)
      #expect(entry.balanceBefore == 10)
    }
  }

  @Test func `a settlement changes the counters of its reservation's month`() async throws {
    try await LedgerFixture.with(at: "2026-05-31T23:59:59Z") { ledger in
      let user = try await ledger.user(budget: 20)
      let (released, committed) = (UUID(), UUID())
      try await ledger.reserve(6, for: user, id: released)
      try await ledger.reserve(5, for: user, id: committed)
      try ledger.clock.set("2026-06-01T00:00:00Z")
      try await ledger.reserve(1, for: user)
      try await ledger.release(released, for: user)
      try await ledger.commit(4, of: committed, for: user)
      let may = try await ledger.store.usage(of: user, month: 5)
      #expect(may.monthlyHeld == 0)
      #expect(may.monthlyUsed == 4)
      let june = try await ledger.store.usage(of: user, month: 6)
      #expect(june.monthlyHeld == 1)
      #expect(june.monthlyUsed == 0)
      #expect(june.used == 4)
    }
  }

  @Test func `a reservation that expires in the next year gives back credits of its own year`()
    async throws
  {
    try await LedgerFixture.with(at: "2025-12-31T23:59:59Z") { ledger in
      let user = try await ledger.user(budget: 10)
      let (due, committed) = (UUID(), UUID())
      try await ledger.reserve(4, for: user, id: due, seconds: 60)
      try await ledger.reserve(6, for: user, id: committed, seconds: 3600)
      try ledger.clock.set("2026-01-01T00:01:00Z")
      #expect(try await ledger.store.usage(of: user, year: 2025, month: 12).held == 6)
      try await ledger.commit(of: committed, for: user)
      #expect(
        try await summary { try await ledger.commit(of: due, for: user) }
          == "late committed 4, 0 available")
      #expect(try await ledger.store.usage(of: user).available == 10)
    }
  }

  @Test(arguments: [
    "UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kolkata",
  ])
  func `the time zone of the session has no effect`(_ zone: String) async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (first, second) = (UUID(), UUID())
      try await ledger.owner.withTransaction { transaction throws(PostgresError) in
        try await transaction.execute(Statement("SET LOCAL TimeZone = '\(zone)'"))
        for (id, time) in [
          (first, "2025-12-31 23:59:59+00"), (second, "2026-01-01 00:00:00+00"),
        ] {
          try await transaction.execute(
            Statement(
              """
              SELECT * FROM mockupd.reserve('\(time)', ARRAY['\(user)'::uuid],
                ARRAY['\(id)'::uuid], ARRAY[3], ARRAY['generation'], ARRAY[900],
                ARRAY[NULL::uuid], ARRAY[NULL::uuid], ARRAY['normal'])
              """))
        }
        try await transaction.execute(
          Statement(
            """
            SELECT * FROM mockupd.settle('2026-01-01 00:00:01+00', ARRAY['\(user)'::uuid],
              ARRAY['\(first)'::uuid], ARRAY['commit'], ARRAY[gen_random_uuid()], NULL, NULL, NULL,
              NULL, ARRAY[gen_random_uuid()])
            """))
      }
      try ledger.clock.set("2026-01-01T00:00:02Z")
      #expect(
        try await ledger.store.reservation(first, of: user).period == Period(year: 2025, month: 12))
      #expect(
        try await ledger.store.reservation(second, of: user).period == Period(year: 2026, month: 1))
      #expect(try await ledger.entries(of: user).map(\.period) == [Period(year: 2025, month: 12)])
      #expect(try await ledger.store.usage(of: user, year: 2025, month: 12).monthlyUsed == 3)
      #expect(try await ledger.store.usage(of: user).monthlyHeld == 3)
    }
  }
}
