import FoundationEssentials
import MockupStore
import Mockups
import TestSupport
import Testing

@Suite struct ClaimTests {
  @Test func theOldestOfAllUsersComeFirst() async throws {
    try await Studio.with { studio in
      var ids: [UUID] = []
      for _ in 0..<4 {
        ids.append(try await studio.pending(of: try await studio.books.user()))
        studio.books.clock.advance(by: 1)
      }
      #expect(try await studio.claim(3).map(\.mockup.id) == Array(ids[..<3]))
      #expect(try await studio.claim(3).map(\.mockup.id) == Array(ids[3...]))
      #expect(try await studio.claim(3).isEmpty)
    }
  }

  @Test func aClaimIsAnAttemptWithALeaseAndDispatchesTheReservation() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user()
      let id = try await studio.pending(of: user, credits: 4)
      let claimed = try #require(try await studio.claim(worker: "anna", lease: 90).first)
      #expect(claimed.mockup.status == .generating)
      #expect(claimed.mockup.attempt == 1)
      #expect(claimed.leaseExpiresAt == studio.books.clock.now.addingTimeInterval(90))
      #expect(claimed.credits == 4)
      #expect(claimed.templateID == "dm_bedroom_001")
      #expect(claimed.attemptsLeft == 2)
      #expect(try await studio.store.mockup(id, of: user) == claimed.mockup)
      #expect(try await studio.reservation(of: id, user) == "dispatched 4")
      #expect(try await studio.books.lines("SELECT worker FROM mockupd.mockup_jobs") == ["anna"])
    }
  }

  @Test func whatExpiredBeforeAnybodyClaimedItFails() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user(budget: 10)
      let id = try await studio.pending(of: user, credits: 4, seconds: 60)
      studio.books.clock.advance(by: 60)
      #expect(try await studio.claim().isEmpty)
      let mockup = try await studio.store.mockup(id, of: user)
      #expect(mockup.status == .failed)
      #expect(mockup.attempt == 0)
      #expect(
        mockup.errorMessage
          == "the reservation expired before the mockup was made")
      #expect(try await studio.reservation(of: id, user) == "expired 0")
      #expect(try await studio.books.store.usage(of: user).available == 10)
      // It can be asked for once more.
      #expect(try await studio.regenerate(id, of: user).mockup?.status == .pending)
    }
  }

  @Test func whatWasReleasedByHandFails() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user()
      let id = try await studio.pending(of: user)
      let reservation = try await studio.store.mockup(id, of: user).reservationID
      try await studio.books.release(try #require(reservation), for: user)
      #expect(try await studio.claim().isEmpty)
      let mockup = try await studio.store.mockup(id, of: user)
      #expect(mockup.status == .failed)
      #expect(mockup.errorMessage == "the reservation is released")
    }
  }

  @Test func `a claim leases no more than fits into its answer, and always one`() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user()
      let config = #"{"note": "\#(String(repeating: "x", count: 10_000))"}"#
      try await studio.scene("large", of: user, template: "t", config: config)
      var assets: [UUID] = []
      for _ in 0..<7 { assets.append(try await studio.asset(of: user)) }
      let made = try await studio.generate(assets, ["large"], for: user).mockups
      var claimed: [UUID] = []
      for (bytes, count): (Int32, Int) in [(35_000, 3), (1, 1), (25_000, 2), (1_000_000, 1)] {
        let batch = try await studio.store.claim(
          worker: "w", count: 10, lease: .seconds(60), maximumBytes: bytes)
        #expect(batch.count == count)
        claimed += batch.map(\.mockup.id)
      }
      #expect(Set(claimed) == Set(made))
      #expect(claimed.count == 7)
      // What a claim left alone has used up no attempt.
      let attempts = try await studio.books.lines(
        "SELECT DISTINCT attempt::text FROM mockupd.mockup_jobs")
      #expect(attempts == ["1"])
    }
  }

  @Test func claimsAtOnceShareWhatIsPending() async throws {
    try await Studio.with { studio in
      var ids: Set<UUID> = []
      for _ in 0..<4 {
        let user = try await studio.books.user()
        let assets = [try await studio.asset(of: user), try await studio.asset(of: user)]
        let scenes = ["bedroom", "living_room", "home_office"]
        ids.formUnion(try await studio.generate(assets, scenes, for: user).mockups)
      }
      let claimed = try await withThrowingTaskGroup(of: [UUID].self) { group in
        for _ in 0..<8 {
          group.addTask {
            var mine: [UUID] = []
            for _ in 0..<6 { mine += try await studio.claim(2).map(\.mockup.id) }
            return mine
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(claimed.count == 24)
      #expect(Set(claimed) == ids)
    }
  }

  @Test func aClaimThatWaitsForCreditsHoldsNobodyUp() async throws {
    try await Studio.with { studio in
      let (first, second) = (try await studio.books.user(), try await studio.books.user())
      _ = try await studio.pending(of: first)
      studio.books.clock.advance(by: 1)
      let other = try await studio.pending(of: second)
      let lock = "SELECT FROM mockupd.credit_counters WHERE user_id = '\(first)' FOR UPDATE"
      let waiting = try await studio.books.holding(lock) {
        let waiting = Task { try await studio.claim() }
        try await studio.books.untilWaiting(1)
        // The oldest is taken, so the next is found at once.
        #expect(try await studio.claim().map(\.mockup.id) == [other])
        return waiting
      }
      #expect(try await waiting.value.map(\.mockup.userID) == [first])
    }
  }
}
