import FoundationEssentials
import MockupDatabase
import MockupCore
import Testing

/// No sweeper runs in these tests, so the clock alone decides expiry.
@Suite struct ExpiryTests {
  @Test func `credits are available as soon as their reservation expires`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      try await ledger.reserve(10, for: user, seconds: 60)
      ledger.clock.advance(by: 59)
      #expect(try await ledger.store.usage(of: user).available == 0)
      #expect(
        try await summary { try await ledger.reserve(1, for: user) } == "refused, 0 remaining")
      ledger.clock.advance(by: 1)
      // The credits are available to a read, and then to a reservation.
      let usage = try await ledger.store.usage(of: user)
      #expect(usage.available == 10)
      #expect(usage.held == 0)
      #expect(usage.monthlyHeld == 0)
      #expect(
        try await summary { try await ledger.reserve(10, for: user) } == "admitted, 0 remaining")
    }
  }

  @Test func `a due reservation is shown as expired before a call updates it`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      let made = try await ledger.reserve(4, for: user, id: id, seconds: 60).reservation
      ledger.clock.advance(by: 59)
      #expect(try await ledger.store.reservation(id, of: user) == made)
      ledger.clock.advance(by: 600)
      var expected = made
      expected.state = .expired
      expected.held = 0
      expected.settledAt = made.expiresAt
      #expect(try await ledger.store.reservation(id, of: user) == expected)
      #expect(try await ledger.lines("SELECT state FROM mockupd.reservations") == ["held"])
      // The result is the same after a call has stored the expiry.
      try await ledger.reserve(1, for: user)
      #expect(try await ledger.store.reservation(id, of: user) == expected)
      #expect(
        try await ledger.lines("SELECT state FROM mockupd.reservations ORDER BY 1")
          == ["expired", "held"])
    }
  }

  @Test func `only due reservations expire`() async throws {
    try await LedgerFixture.with { ledger in
      let (user, other) = (try await ledger.user(budget: 20), try await ledger.user(budget: 20))
      let (short, long, foreign) = (UUID(), UUID(), UUID())
      try await ledger.reserve(1, for: user, id: short, seconds: 60)
      try await ledger.reserve(2, for: user, id: long, seconds: 120)
      try await ledger.reserve(4, for: other, id: foreign, seconds: 120)
      ledger.clock.advance(by: 60)
      try await ledger.reserve(8, for: user)
      #expect(try await ledger.store.usage(of: user).held == 10)
      #expect(try await ledger.store.usage(of: other).held == 4)
      #expect(try await ledger.store.reservation(long, of: user).state == .held)
      #expect(try await ledger.store.reservation(foreign, of: other).state == .held)
    }
  }

  @Test func `a late commit is admitted if the credits are available`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (id, commit) = (UUID(), UUID())
      try await ledger.reserve(5, for: user, id: id, seconds: 60)
      ledger.clock.advance(by: 60)
      try await ledger.reserve(7, for: user)
      #expect(
        try await summary { try await ledger.commit(3, of: id, for: user, id: commit) }
          == "late committed 3, 0 available")
      #expect(
        try await summary { try await ledger.commit(3, of: id, for: user, id: commit) }
          == "replayed late committed 3, 0 available")
      let entry = try #require(try await ledger.entries(of: user).last)
      #expect(entry.isLate)
      #expect(entry.balanceBefore == 10)
      #expect(entry.balanceAfter == 7)
      #expect(try await ledger.store.reservation(id, of: user).isLate)
    }
  }

  @Test func `a late commit without available credits fails and changes nothing`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(5, for: user, id: id, seconds: 60)
      ledger.clock.advance(by: 60)
      try await ledger.reserve(7, for: user)
      let before = try await ledger.store.usage(of: user)
      #expect(
        try await summary { try await ledger.commit(of: id, for: user) }
          == "insufficient, 3 available")
      #expect(
        try await summary { try await ledger.commit(4, of: id, for: user) }
          == "insufficient, 3 available")
      #expect(try await ledger.store.usage(of: user) == before)
      #expect(try await ledger.entries(of: user).isEmpty)
      #expect(try await ledger.store.reservation(id, of: user).state == .expired)
      // A smaller commit is admitted.
      #expect(
        try await summary { try await ledger.commit(3, of: id, for: user) }
          == "late committed 3, 0 available")
    }
  }

  @Test func `a late commit cannot exceed the reserved credits`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(5, for: user, id: id, seconds: 60)
      ledger.clock.advance(by: 60)
      #expect(try await summary { try await ledger.commit(6, of: id, for: user) } == "more than 5")
    }
  }

  @Test func `an expired reservation cannot be released`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(5, for: user, id: id, seconds: 60)
      ledger.clock.advance(by: 60)
      #expect(
        try await summary { try await ledger.release(id, for: user) } == "not open but expired")
      #expect(
        try await summary { try await ledger.commit(0, of: id, for: user) }
          == "not open but expired")
      #expect(try await ledger.store.usage(of: user).available == 10)
    }
  }

  @Test func `a request retried after expiry gets its first answer`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(5, for: user, id: id, seconds: 60)
      ledger.clock.advance(by: 60)
      #expect(
        try await summary { try await ledger.reserve(5, for: user, id: id, seconds: 60) }
          == "replayed admitted, 5 remaining")
      #expect(try await ledger.store.usage(of: user).held == 0)
    }
  }
}
