import FoundationEssentials
import MockupStore
import Mockups
import Testing

@Suite struct GroupTests {
  @Test func aGroupIsReleasedWithAllThatIsOpenOfIt() async throws {
    try await Books.with(at: "2025-12-31T23:59:30Z") { books in
      let (user, other) = (try await books.user(budget: 20), try await books.user(budget: 20))
      let group = UUID()
      let ids = (0..<6).map { _ in UUID() }
      for (id, seconds) in zip(ids, [900, 900, 60, 30, 900]) {
        try await books.reserve(2, for: user, id: id, seconds: seconds, group: group)
      }
      let (foreign, beside) = (UUID(), UUID())
      try await books.reserve(1, for: other, id: foreign, group: group)
      try await books.reserve(1, for: user, id: beside, group: UUID())
      try await books.dispatch(ids[1], for: user)
      try await books.dispatch(ids[2], for: user)
      try await books.commit(1, of: ids[4], for: user, final: false)
      books.clock.advance(by: 60)
      try await books.reserve(2, for: user, id: ids[5], group: group)

      let first = try await books.store.releaseGroup(group, of: user)
      #expect(first.reservations == 5)
      #expect(first.credits == 9)
      #expect(!first.isReplayed)
      #expect(first.usage.period == Period(year: 2026, month: 1))
      #expect(first.usage.held == 0)
      var states: [ReservationState] = []
      for id in ids { states.append(try await books.store.reservation(id, of: user).state) }
      #expect(states == [.released, .released, .released, .expired, .committed, .released])
      #expect(try await books.store.reservation(beside, of: user).state == .held)
      #expect(try await books.store.reservation(foreign, of: other).state == .held)
      #expect(try await books.store.usage(of: user, year: 2025).held == 1)

      var again = try await books.store.releaseGroup(group, of: user)
      #expect(again.isReplayed)
      again.isReplayed = false
      #expect(again == first)
    }
  }

  @Test func aGroupThatNobodyHasIsUnknown() async throws {
    try await Books.with { books in
      let (user, other) = (try await books.user(budget: 20), try await books.user(budget: 20))
      let group = UUID()
      try await books.reserve(1, for: other, group: group)
      #expect(
        try await summary { try await books.store.releaseGroup(group, of: user) } == "unknown group"
      )
    }
  }

  @Test func anIDUsedInAnotherGroupIsAConflict() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 20)
      let (id, group) = (UUID(), UUID())
      try await books.reserve(1, for: user, id: id, group: group)
      for other in [nil, UUID()] {
        #expect(
          try await summary { try await books.reserve(1, for: user, id: id, group: other) }
            == "conflict in group_id")
      }
      #expect(
        try await summary { try await books.reserve(1, for: user, id: id, group: group) }
          == "replayed admitted, 19 remaining")
    }
  }
}
