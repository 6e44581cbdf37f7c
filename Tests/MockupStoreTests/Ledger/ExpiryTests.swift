import FoundationEssentials
import MockupStore
import Mockups
import Testing

/// Nothing sweeps in these tests: expiry is decided by the clock alone.
@Suite struct ExpiryTests {
  @Test func creditsAreFreeTheMomentTheirTimeIsOver() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      try await books.reserve(10, for: user, seconds: 60)
      books.clock.advance(by: 59)
      #expect(try await books.store.usage(of: user).available == 0)
      #expect(try await summary { try await books.reserve(1, for: user) } == "refused, 0 remaining")
      books.clock.advance(by: 1)
      // First to one who only looks, then to one who reserves.
      let usage = try await books.store.usage(of: user)
      #expect(usage.available == 10)
      #expect(usage.held == 0)
      #expect(usage.monthlyHeld == 0)
      #expect(
        try await summary { try await books.reserve(10, for: user) } == "admitted, 0 remaining")
    }
  }

  @Test func aReservationIsShownAsExpiredBeforeAnythingHasTouchedIt() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let id = UUID()
      let made = try await books.reserve(4, for: user, id: id, seconds: 60).reservation
      books.clock.advance(by: 59)
      #expect(try await books.store.reservation(id, of: user) == made)
      books.clock.advance(by: 600)
      var expected = made
      expected.state = .expired
      expected.held = 0
      expected.settledAt = made.expiresAt
      #expect(try await books.store.reservation(id, of: user) == expected)
      #expect(try await books.lines("SELECT state FROM mockupd.reservations") == ["held"])
      // And just so when something has.
      try await books.reserve(1, for: user)
      #expect(try await books.store.reservation(id, of: user) == expected)
      #expect(
        try await books.lines("SELECT state FROM mockupd.reservations ORDER BY 1")
          == ["expired", "held"])
    }
  }

  @Test func onlyWhatIsDueExpires() async throws {
    try await Books.with { books in
      let (user, other) = (try await books.user(budget: 20), try await books.user(budget: 20))
      let (short, long, foreign) = (UUID(), UUID(), UUID())
      try await books.reserve(1, for: user, id: short, seconds: 60)
      try await books.reserve(2, for: user, id: long, seconds: 120)
      try await books.reserve(4, for: other, id: foreign, seconds: 120)
      books.clock.advance(by: 60)
      try await books.reserve(8, for: user)
      #expect(try await books.store.usage(of: user).held == 10)
      #expect(try await books.store.usage(of: other).held == 4)
      #expect(try await books.store.reservation(long, of: user).state == .held)
      #expect(try await books.store.reservation(foreign, of: other).state == .held)
    }
  }

  @Test func aLateCommitIsAdmittedWhereTheCreditsAreStillThere() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let (id, commit) = (UUID(), UUID())
      try await books.reserve(5, for: user, id: id, seconds: 60)
      books.clock.advance(by: 60)
      try await books.reserve(7, for: user)
      #expect(
        try await summary { try await books.commit(3, of: id, for: user, id: commit) }
          == "late committed 3, 0 available")
      #expect(
        try await summary { try await books.commit(3, of: id, for: user, id: commit) }
          == "replayed late committed 3, 0 available")
      let entry = try #require(try await books.ledger(of: user).last)
      #expect(entry.isLate)
      #expect(entry.balanceBefore == 10)
      #expect(entry.balanceAfter == 7)
      #expect(try await books.store.reservation(id, of: user).isLate)
    }
  }

  @Test func aLateCommitIsRefusedWhereTheCreditsAreGoneAndNothingChanges() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let id = UUID()
      try await books.reserve(5, for: user, id: id, seconds: 60)
      books.clock.advance(by: 60)
      try await books.reserve(7, for: user)
      let before = try await books.store.usage(of: user)
      #expect(
        try await summary { try await books.commit(of: id, for: user) }
          == "insufficient, 3 available")
      #expect(
        try await summary { try await books.commit(4, of: id, for: user) }
          == "insufficient, 3 available")
      #expect(try await books.store.usage(of: user) == before)
      #expect(try await books.ledger(of: user).isEmpty)
      #expect(try await books.store.reservation(id, of: user).state == .expired)
      // Less than it held would fit.
      #expect(
        try await summary { try await books.commit(3, of: id, for: user) }
          == "late committed 3, 0 available")
    }
  }

  @Test func aLateCommitCannotTakeMoreThanWasAskedFor() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let id = UUID()
      try await books.reserve(5, for: user, id: id, seconds: 60)
      books.clock.advance(by: 60)
      #expect(try await summary { try await books.commit(6, of: id, for: user) } == "more than 5")
    }
  }

  @Test func whatHasExpiredIsNotReleased() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let id = UUID()
      try await books.reserve(5, for: user, id: id, seconds: 60)
      books.clock.advance(by: 60)
      #expect(
        try await summary { try await books.release(id, for: user) } == "not open but expired")
      #expect(
        try await summary { try await books.commit(0, of: id, for: user) }
          == "not open but expired")
      #expect(try await books.store.usage(of: user).available == 10)
    }
  }

  @Test func aRequestSentAgainAfterItExpiredGetsItsFirstAnswer() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let id = UUID()
      try await books.reserve(5, for: user, id: id, seconds: 60)
      books.clock.advance(by: 60)
      #expect(
        try await summary { try await books.reserve(5, for: user, id: id, seconds: 60) }
          == "replayed admitted, 5 remaining")
      #expect(try await books.store.usage(of: user).held == 0)
    }
  }
}
