import FoundationEssentials
import MockupStore
import Mockups
import Postgres
import TestSupport
import Testing

@Suite struct VerificationTests {
  @Test func everyUserIsVerifiedOnceAndEachDiscrepancyTold() async throws {
    try await Books.withAdmin { books, admin in
      var users: [UUID] = []
      for _ in 0..<7 {
        let user = try await books.user()
        try await books.spend(3, for: user)
        users.append(user)
      }
      _ = try await books.user()
      let damaged = [users[1], users[5]]
      let ids = damaged.map { "'\($0)'" }.joined(separator: ", ")
      try await books.run(
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
                  "\($0) 2026 entries: the counter says 2, the rows say 1",
                  "\($0) 2026 generation: the counter says 4, the rows say 3",
                ]
              }))
        #expect(found.count == 4)
      }

      #expect(try await admin.verify(users[1]).count == 2)
      #expect(try await admin.verify(users[0]).isEmpty)
      await #expect(throws: CreditError.self) { try await admin.verify(UUID()) }

      try await books.run(
        """
        UPDATE mockupd.credit_counters SET generation = generation - 1, entries = entries - 1
        WHERE user_id IN (\(ids))
        """)
    }
  }

  @Test func booksWithoutUsersAreRight() async throws {
    try await Books.withAdmin { _, admin in
      let step = try await admin.verify(after: nil, count: 10)
      #expect(step.discrepancies.isEmpty)
      #expect(step.users == 0)
      #expect(step.last == nil)
    }
  }

  @Test func theFactsAreThoseOfTheDatabase() async throws {
    try await Books.withAdmin { books, admin in
      let user = try await books.user()
      for _ in 0..<3 { _ = try await books.mockup(of: user) }
      try await books.run(
        """
        UPDATE mockups SET status = 'failed' WHERE id = (SELECT id FROM mockups LIMIT 1)
        """)
      let facts = try await admin.facts()
      #expect(Int(facts.schemaVersion) == Schema.migrations.last?.version)
      #expect(facts.version.hasPrefix("PostgreSQL "))
      #expect(facts.pendingMockups == 2)
      #expect(facts.unresolvedReservations == 0)
      #expect(facts.readAt == books.clock.now)
    }
  }
}
