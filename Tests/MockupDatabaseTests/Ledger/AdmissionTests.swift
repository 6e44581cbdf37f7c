import FoundationEssentials
import MockupDatabase
import MockupCore
import Testing

@Suite struct AdmissionTests {
  @Test func `credits are admitted exactly up to the budget`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      #expect(
        try await summary { try await ledger.reserve(3, for: user) } == "admitted, 7 remaining")
      try await ledger.spend(2, for: user)
      #expect(
        try await summary { try await ledger.reserve(6, for: user) } == "refused, 5 remaining")
      #expect(
        try await summary { try await ledger.reserve(5, for: user) } == "admitted, 0 remaining")
      #expect(
        try await summary { try await ledger.reserve(1, for: user) } == "refused, 0 remaining")
    }
  }

  @Test func `a reservation stores its request and its expiry`() async throws {
    try await LedgerFixture.with(at: "2026-05-10T12:00:00Z") { ledger in
      let user = try await ledger.user(budget: 10)
      let mockup = try await ledger.mockup(of: user)
      let id = UUID()
      let outcome = try await ledger.reserve(
        3, for: user, id: id, operation: .regeneration, seconds: 90, mockup: mockup)
      let expected = Reservation(
        userID: user, id: id, state: .held, credits: 3, held: 3, operation: .regeneration,
        period: Period(year: 2026, month: 5), createdAt: ledger.clock.now,
        expiresAt: ledger.clock.now.addingTimeInterval(90), mockupID: mockup)
      #expect(outcome.reservation == expected)
      #expect(try await ledger.store.reservation(id, of: user) == expected)
    }
  }

  @Test func `a refusal holds nothing and reports the remaining credits`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      try await ledger.reserve(4, for: user)
      let before = try await ledger.store.usage(of: user)
      let id = UUID()
      let outcome = try await ledger.reserve(7, for: user, id: id)
      #expect(!outcome.admission.isAdmitted)
      #expect(outcome.admission.message == "Insufficient credits. 6 remaining.")
      #expect(outcome.admission.usage == before)
      #expect(try await ledger.store.usage(of: user) == before)
      #expect(try await ledger.entries(of: user).isEmpty)
      let refused = try await ledger.store.reservation(id, of: user)
      #expect(refused == outcome.reservation)
      #expect(refused.state == .refused)
      #expect(refused.held == 0)
      #expect(refused.settledAt == ledger.clock.now)
    }
  }

  @Test func `a refused id stays refused after credits become available`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (first, refused) = (UUID(), UUID())
      try await ledger.reserve(10, for: user, id: first)
      try await ledger.reserve(1, for: user, id: refused)
      try await ledger.release(first, for: user)
      #expect(
        try await summary { try await ledger.reserve(1, for: user, id: refused) }
          == "replayed refused, 0 remaining")
      #expect(try await ledger.store.usage(of: user).available == 10)
      #expect(
        try await summary { try await ledger.reserve(1, for: user) } == "admitted, 9 remaining")
    }
  }

  @Test func `a retried request gets its first answer`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (admitted, refused) = (UUID(), UUID())
      let requests: [@Sendable () async throws -> ReservationOutcome] = [
        { try await ledger.reserve(4, for: user, id: admitted) },
        { try await ledger.reserve(7, for: user, id: refused) },
      ]
      for request in requests {
        let first = try await request()
        #expect(!first.isReplayed)
        // Calls in between do not change the answer.
        ledger.clock.advance(by: 60)
        try await ledger.spend(1, for: user)
        var again = try await request()
        #expect(again.isReplayed)
        again.isReplayed = false
        #expect(again == first)
      }
      try await ledger.commit(of: admitted, for: user)
      var again = try await requests[0]()
      #expect(again.admission.remaining == 6)
      ledger.clock.advance(by: 365 * 86_400)
      let nextYear = try await requests[0]()
      #expect(again == nextYear)
      again.isReplayed = false
      #expect(again.reservation.period == Period(year: 2026, month: 5))
      #expect(try await ledger.store.usage(of: user, year: 2026).used == 6)
      #expect(try await ledger.store.usage(of: user).held == 0)
    }
  }

  @Test func `an id reused for another request is rejected with the differing field`() async throws
  {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let mockup = try await ledger.mockup(of: user)
      let other = try await ledger.mockup(of: user)
      let id = UUID()
      try await ledger.reserve(3, for: user, id: id, seconds: 60, mockup: mockup)
      let table: [(Int32, MockupCore.Operation, Int, UUID?, String)] = [
        (4, .generation, 60, mockup, "conflict in credits"),
        (3, .regeneration, 60, mockup, "conflict in operation"),
        (3, .generation, 61, mockup, "conflict in time_to_live"),
        (3, .generation, 60, other, "conflict in mockup_id"),
        (3, .generation, 60, nil, "conflict in mockup_id"),
        (3, .generation, 60, mockup, "replayed admitted, 7 remaining"),
      ]
      for (credits, operation, seconds, mockup, expected) in table {
        let answer = try await summary {
          try await ledger.reserve(
            credits, for: user, id: id, operation: operation, seconds: seconds, mockup: mockup)
        }
        #expect(answer == expected)
      }
      #expect(try await ledger.store.usage(of: user).held == 3)
    }
  }

  @Test func `reservation ids are separate for each user`() async throws {
    try await LedgerFixture.with { ledger in
      let users = [try await ledger.user(budget: 10), try await ledger.user(budget: 20)]
      let id = UUID()
      #expect(
        try await summary { try await ledger.reserve(3, for: users[0], id: id) }
          == "admitted, 7 remaining")
      #expect(
        try await summary { try await ledger.reserve(5, for: users[1], id: id) }
          == "admitted, 15 remaining")
      try await ledger.release(id, for: users[0])
      #expect(try await ledger.store.reservation(id, of: users[1]).state == .held)
    }
  }

  @Test func `unknown users and mockups are named in the error`() async throws {
    try await LedgerFixture.with { ledger in
      let (user, other) = (try await ledger.user(budget: 10), try await ledger.user(budget: 10))
      let foreign = try await ledger.mockup(of: other)
      let unknownUser = UUID()
      let unknown = UUID()
      do {
        try await ledger.reserve(1, for: unknownUser)
        Issue.record("an unknown user got credits")
      } catch CreditError.unknownUser(let named) {
        #expect(named == unknownUser)
      }
      for mockup in [unknown, foreign] {
        do {
          try await ledger.reserve(1, for: user, mockup: mockup)
          Issue.record("a mockup that the user does not own was accepted")
        } catch CreditError.unknownMockup(let named) {
          #expect(named == mockup)
        }
      }
      #expect(try await summary { try await ledger.store.usage(of: unknownUser) } == "unknown user")
      #expect(
        try await summary { try await ledger.store.entries(of: unknownUser, after: nil, count: 1) }
          == "unknown user")
      #expect(
        try await summary { try await ledger.store.reservation(unknown, of: user) }
          == "unknown reservation")
      // Nothing was stored, so the ids can still be used.
      #expect(try await ledger.lines("SELECT count(*) FROM mockupd.reservations") == ["0"])
    }
  }

  @Test func `a check gives the answer of a reservation and writes nothing`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      try await ledger.reserve(4, for: user)
      for credits: Int32 in [1, 6, 7] {
        let check = try await ledger.store.check(
          ReservationRequest(userID: user, id: UUID(), credits: credits))
        #expect(try await ledger.store.usage(of: user).held == 4)
        let id = UUID()
        let outcome = try await ledger.reserve(credits, for: user, id: id)
        #expect(check == outcome.admission)
        if check.isAdmitted { try await ledger.release(id, for: user) }
      }
    }
  }

  @Test func `exceeding the monthly soft limit is reported and denies nothing`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 100, softLimit: 10)
      try await ledger.spend(4, for: user)
      let reached = try await ledger.reserve(6, for: user)
      #expect(!reached.admission.usage.softLimitIsPassed)
      let passed = try await ledger.reserve(1, for: user)
      #expect(passed.admission.isAdmitted)
      #expect(passed.admission.usage.softLimitIsPassed)
      #expect(passed.admission.usage.remainingMonthly == 0)
      #expect(passed.admission.usage.monthlySoftLimit == 10)
      // The next month starts at zero.
      try ledger.clock.set("2026-06-01T00:00:00Z")
      let june = try await ledger.reserve(1, for: user)
      #expect(!june.admission.usage.softLimitIsPassed)
      #expect(june.admission.usage.monthlyUsed == 0)
    }
  }

  @Test func `a budget below used and held credits admits no new reservation`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.spend(3, for: user)
      try await ledger.reserve(5, for: user, id: id)
      try await ledger.setGuardrails(#"{"annual_mockup_budget": 2}"#, of: user)
      #expect(
        try await summary { try await ledger.reserve(1, for: user) } == "refused, -6 remaining")
      #expect(
        try await summary { try await ledger.commit(of: id, for: user) }
          == "committed 5, -6 available")
      let entry = try #require(try await ledger.entries(of: user).last)
      #expect(entry.balanceBefore == -1)
      #expect(entry.balanceAfter == -6)
      #expect(try await ledger.store.usage(of: user).remainingAnnual == 0)
    }
  }
}
