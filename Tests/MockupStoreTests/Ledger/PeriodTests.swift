import FoundationEssentials
import MockupStore
import Mockups
import Postgres
import Testing

@Suite struct PeriodTests {
  @Test func whatIsReservedInOneYearAndCommittedInTheNextIsChargedToTheFirst() async throws {
    try await Books.with(at: "2025-12-31T23:59:59Z") { books in
      let user = try await books.user(budget: 10)
      let id = UUID()
      try await books.reserve(6, for: user, id: id)
      try books.clock.set("2026-01-01T00:00:00Z")
      #expect(
        try await summary { try await books.reserve(10, for: user) } == "admitted, 0 remaining")
      let outcome = try await books.commit(of: id, for: user)
      #expect(outcome.reservation.period == Period(year: 2025, month: 12))
      #expect(outcome.usage.period == Period(year: 2025, month: 12))
      #expect(outcome.usage.generation == 6)

      let december = try await books.store.usage(of: user, year: 2025, month: 12)
      #expect(december.generation == 6)
      #expect(december.monthlyUsed == 6)
      #expect(december.held == 0)
      #expect(december.available == 4)
      let january = try await books.store.usage(of: user)
      #expect(january.period == Period(year: 2026, month: 1))
      #expect(january.used == 0)
      #expect(january.held == 10)
      let entry = try #require(try await books.ledger(of: user).first)
      #expect(entry.period == Period(year: 2025, month: 12))
      #expect(entry.createdAt == books.clock.now)
      #expect(entry.balanceBefore == 10)
    }
  }

  @Test func whatIsReservedInOneMonthAndReleasedInTheNextLeavesTheFirst() async throws {
    try await Books.with(at: "2026-05-31T23:59:59Z") { books in
      let user = try await books.user(budget: 20)
      let (released, committed) = (UUID(), UUID())
      try await books.reserve(6, for: user, id: released)
      try await books.reserve(5, for: user, id: committed)
      try books.clock.set("2026-06-01T00:00:00Z")
      try await books.reserve(1, for: user)
      try await books.release(released, for: user)
      try await books.commit(4, of: committed, for: user)
      let may = try await books.store.usage(of: user, month: 5)
      #expect(may.monthlyHeld == 0)
      #expect(may.monthlyUsed == 4)
      let june = try await books.store.usage(of: user, month: 6)
      #expect(june.monthlyHeld == 1)
      #expect(june.monthlyUsed == 0)
      #expect(june.used == 4)
    }
  }

  @Test func whatExpiresOverTheTurnOfTheYearIsFreeInItsOwn() async throws {
    try await Books.with(at: "2025-12-31T23:59:59Z") { books in
      let user = try await books.user(budget: 10)
      let (due, committed) = (UUID(), UUID())
      try await books.reserve(4, for: user, id: due, seconds: 60)
      try await books.reserve(6, for: user, id: committed, seconds: 3600)
      try books.clock.set("2026-01-01T00:01:00Z")
      #expect(try await books.store.usage(of: user, year: 2025, month: 12).held == 6)
      try await books.commit(of: committed, for: user)
      #expect(
        try await summary { try await books.commit(of: due, for: user) }
          == "late committed 4, 0 available")
      #expect(try await books.store.usage(of: user).available == 10)
    }
  }

  @Test(
    "A session's time zone changes nothing",
    arguments: [
      "UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kolkata",
    ])
  func timeZone(_ zone: String) async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let (first, second) = (UUID(), UUID())
      try await books.owner.withTransaction { transaction throws(PostgresError) in
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
      try books.clock.set("2026-01-01T00:00:02Z")
      #expect(
        try await books.store.reservation(first, of: user).period == Period(year: 2025, month: 12))
      #expect(
        try await books.store.reservation(second, of: user).period == Period(year: 2026, month: 1))
      #expect(try await books.ledger(of: user).map(\.period) == [Period(year: 2025, month: 12)])
      #expect(try await books.store.usage(of: user, year: 2025, month: 12).monthlyUsed == 3)
      #expect(try await books.store.usage(of: user).monthlyHeld == 3)
    }
  }
}
