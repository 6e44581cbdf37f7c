import FoundationEssentials
import MockupDatabase
import MockupCore
import Testing

@Suite struct GroupTests {
  @Test func `a group release releases every open reservation of the group`() async throws {
    try await LedgerFixture.with(at: "2025-12-31T23:59:30Z") { ledger in
      let (user, other) = (try await ledger.user(budget: 20), try await ledger.user(budget: 20))
      let group = UUID()
      let ids = (0..<6).map { _ in UUID() }
      for (id, seconds) in zip(ids, [900, 900, 60, 30, 900]) {
        try await ledger.reserve(2, for: user, id: id, seconds: seconds, group: group)
      }
      let (foreign, inOtherGroup) = (UUID(), UUID())
      try await ledger.reserve(1, for: other, id: foreign, group: group)
      try await ledger.reserve(1, for: user, id: inOtherGroup, group: UUID())
      try await ledger.dispatch(ids[1], for: user)
      try await ledger.dispatch(ids[2], for: user)
      try await ledger.commit(1, of: ids[4], for: user, final: false)
      ledger.clock.advance(by: 60)
      try await ledger.reserve(2, for: user, id: ids[5], group: group)

      let first = try await ledger.store.releaseGroup(group, of: user)
      #expect(first.reservations == 5)
      #expect(first.credits == 9)
      #expect(!first.isReplayed)
      #expect(first.usage.period == Period(year: 2026, month: 1))
      #expect(first.usage.held == 0)
      var states: [ReservationState] = []
      for id in ids { states.append(try await ledger.store.reservation(id, of: user).state) }
      #expect(states == [.released, .released, .released, .expired, .committed, .released])
      #expect(try await ledger.store.reservation(inOtherGroup, of: user).state == .held)
      #expect(try await ledger.store.reservation(foreign, of: other).state == .held)
      #expect(try await ledger.store.usage(of: user, year: 2025).held == 1)

      var again = try await ledger.store.releaseGroup(group, of: user)
      #expect(again.isReplayed)
      again.isReplayed = false
      #expect(again == first)
    }
  }

  @Test func `a group without reservations of the user is unknown`() async throws {
    try await LedgerFixture.with { ledger in
      let (user, other) = (try await ledger.user(budget: 20), try await ledger.user(budget: 20))
      let group = UUID()
      try await ledger.reserve(1, for: other, group: group)
      #expect(
        try await summary { try await ledger.store.releaseGroup(group, of: user) }
          == "unknown group"
      )
    }
  }

  @Test func `an id reused in another group is a conflict`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 20)
      let (id, group) = (UUID(), UUID())
      try await ledger.reserve(1, for: user, id: id, group: group)
      for other in [nil, UUID()] {
        #expect(
          try await summary { try await ledger.reserve(1, for: user, id: id, group: other) }
            == "conflict in group_id")
      }
      #expect(
        try await summary { try await ledger.reserve(1, for: user, id: id, group: group) }
          == "replayed admitted, 19 remaining")
    }
  }
}
