import FoundationEssentials
import MockupDatabase
import MockupCore
import Testing

/// The vendor may have charged for a dispatched reservation, so its credits stay held after expiry.
@Suite struct DispatchTests {
  @Test func `an expired dispatched reservation is unresolved and keeps its credits`() async throws
  {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(6, for: user, id: id, seconds: 60)
      var expected = try await ledger.dispatch(id, for: user).reservation
      #expect(expected.state == .dispatched)
      #expect(expected.dispatchedAt == ledger.clock.now)
      ledger.clock.advance(by: 60)
      expected.state = .unresolved
      // Before and after a call stores the new state.
      for _ in 0..<2 {
        #expect(try await ledger.store.reservation(id, of: user) == expected)
        let usage = try await ledger.store.usage(of: user)
        #expect(usage.held == 6)
        #expect(usage.monthlyHeld == 6)
        #expect(
          try await summary { try await ledger.reserve(5, for: user) } == "refused, 4 remaining")
      }
    }
  }

  @Test func `a retried dispatch is replayed while the reservation is dispatched`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(6, for: user, id: id, seconds: 60)
      var first = try await ledger.dispatch(id, for: user)
      #expect(!first.isReplayed)
      ledger.clock.advance(by: 1)
      let again = try await ledger.dispatch(id, for: user)
      #expect(again.isReplayed)
      first.isReplayed = true
      #expect(again == first)
      ledger.clock.advance(by: 60)
      #expect(
        try await summary { try await ledger.dispatch(id, for: user) } == "not open but unresolved")
      try await ledger.release(id, for: user)
      #expect(
        try await summary { try await ledger.dispatch(id, for: user) } == "not open but released")
    }
  }

  @Test func `an unresolved reservation is settled late without an availability check`()
    async throws
  {
    let table:
      [(String, @Sendable (LedgerFixture, UUID, UUID) async throws -> SettlementOutcome, String)] =
        [
          ("whole", { try await $0.commit(of: $1, for: $2) }, "late committed 6, 0 available"),
          ("part", { try await $0.commit(2, of: $1, for: $2) }, "late committed 2, 4 available"),
          ("none", { try await $0.commit(0, of: $1, for: $2) }, "released 0, 6 available"),
          ("release", { try await $0.release($1, for: $2) }, "released 0, 6 available"),
          ("extend", { try await $0.extend($1, for: $2, seconds: 9) }, "not open but unresolved"),
        ]
    try await LedgerFixture.with { ledger in
      for (name, settle, expected) in table {
        let user = try await ledger.user(budget: 10)
        let id = UUID()
        try await ledger.reserve(6, for: user, id: id, seconds: 60)
        try await ledger.dispatch(id, for: user)
        try await ledger.reserve(4, for: user)
        ledger.clock.advance(by: 60)
        #expect(try await summary { try await settle(ledger, id, user) } == expected, "\(name)")
      }
    }
  }

  @Test func `a reservation that is not open cannot be dispatched or extended`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (expired, committed, refused) = (UUID(), UUID(), UUID())
      try await ledger.reserve(1, for: user, id: expired, seconds: 60)
      try await ledger.reserve(1, for: user, id: committed)
      try await ledger.commit(of: committed, for: user)
      try await ledger.reserve(11, for: user, id: refused)
      ledger.clock.advance(by: 60)
      let table = [
        (expired, "not open but expired"), (committed, "not open but committed"),
        (refused, "not open but refused"), (UUID(), "unknown reservation"),
      ]
      for (id, expected) in table {
        #expect(try await summary { try await ledger.dispatch(id, for: user) } == expected)
        #expect(
          try await summary { try await ledger.extend(id, for: user, seconds: 60) } == expected)
      }
    }
  }

  @Test func `an extension never moves the expiry to an earlier time`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      let made = try await ledger.reserve(6, for: user, id: id, seconds: 60).reservation
      ledger.clock.advance(by: 30)
      let extended = try await ledger.extend(id, for: user, seconds: 60).reservation
      #expect(extended.expiresAt == made.expiresAt.addingTimeInterval(30))
      let shorter = try await ledger.extend(id, for: user, seconds: 1).reservation
      #expect(shorter.expiresAt == extended.expiresAt)
      let dispatched = try await ledger.dispatch(id, for: user, seconds: 90).reservation
      #expect(dispatched.expiresAt == extended.expiresAt.addingTimeInterval(30))
      ledger.clock.advance(by: 89)
      #expect(try await ledger.store.usage(of: user).available == 4)
      let last = try await ledger.extend(id, for: user, seconds: 60).reservation
      #expect(last.state == .dispatched)
      #expect(last.expiresAt == dispatched.expiresAt.addingTimeInterval(59))
      #expect(try await ledger.store.reservation(id, of: user) == last)
      // An extension does not change the request, so a retry is replayed.
      #expect(
        try await summary { try await ledger.reserve(6, for: user, id: id, seconds: 60) }
          == "replayed admitted, 4 remaining")
    }
  }
}
