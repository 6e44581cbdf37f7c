import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct ClaimTests {
  @Test func `the oldest mockups of all users are claimed first`() async throws {
    try await WorkerFixture.with { fixture in
      var ids: [UUID] = []
      for _ in 0..<4 {
        ids.append(try await fixture.pending(of: try await fixture.ledger.user()))
        fixture.ledger.clock.advance(by: 1)
      }
      #expect(try await fixture.claim(3).map(\.mockup.id) == Array(ids[..<3]))
      #expect(try await fixture.claim(3).map(\.mockup.id) == Array(ids[3...]))
      #expect(try await fixture.claim(3).isEmpty)
    }
  }

  @Test func `a claim starts an attempt with a lease and dispatches the reservation`() async throws
  {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let id = try await fixture.pending(of: user, credits: 4)
      let claimed = try #require(try await fixture.claim(worker: "anna", lease: 90).first)
      #expect(claimed.mockup.status == .generating)
      #expect(claimed.mockup.attempt == 1)
      #expect(claimed.leaseExpiresAt == fixture.ledger.clock.now.addingTimeInterval(90))
      #expect(claimed.credits == 4)
      #expect(claimed.templateID == "dm_bedroom_001")
      #expect(claimed.attemptsLeft == 2)
      #expect(try await fixture.store.mockup(id, of: user) == claimed.mockup)
      #expect(try await fixture.reservation(of: id, user) == "dispatched 4")
      #expect(try await fixture.ledger.lines("SELECT worker FROM mockupd.mockup_jobs") == ["anna"])
    }
  }

  @Test func `a claimed mockup's reservation stays open a minute longer than the lease`()
    async throws
  {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let id = try await fixture.pending(of: user, credits: 4, seconds: 2)
      let claimed = try #require(try await fixture.claim(lease: 90).first)
      fixture.ledger.clock.advance(by: 149)
      #expect(try await fixture.reservation(of: id, user) == "dispatched 4")
      try await fixture.complete(MockupAttempt(claimed))
      #expect(try await fixture.reservation(of: id, user) == "committed 4")
    }
  }

  @Test func `a mockup whose reservation expired before a claim fails`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let id = try await fixture.pending(of: user, credits: 4, seconds: 60)
      fixture.ledger.clock.advance(by: 60)
      #expect(try await fixture.claim().isEmpty)
      let mockup = try await fixture.store.mockup(id, of: user)
      #expect(mockup.status == .failed)
      #expect(mockup.attempt == 0)
      #expect(
        mockup.errorMessage
          == "the reservation expired before the mockup was made")
      #expect(try await fixture.reservation(of: id, user) == "expired 0")
      #expect(try await fixture.ledger.store.usage(of: user).available == 10)
      // It can be regenerated.
      #expect(try await fixture.regenerate(id, of: user).mockup?.status == .pending)
    }
  }

  @Test func `a mockup whose reservation was released directly fails`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let id = try await fixture.pending(of: user)
      let reservation = try await fixture.store.mockup(id, of: user).reservationID
      try await fixture.ledger.release(try #require(reservation), for: user)
      #expect(try await fixture.claim().isEmpty)
      let mockup = try await fixture.store.mockup(id, of: user)
      #expect(mockup.status == .failed)
      #expect(mockup.errorMessage == "the reservation is released")
    }
  }

  @Test func `a claim leases no more than fits its response and at least one mockup`() async throws
  {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let config = #"{"note": "\#(String(repeating: "x", count: 10_000))"}"#
      try await fixture.scene("large", of: user, template: "t", config: config)
      var assets: [UUID] = []
      for _ in 0..<7 { assets.append(try await fixture.asset(of: user)) }
      let made = try await fixture.generate(assets, ["large"], for: user).mockups
      var claimed: [UUID] = []
      for (bytes, count): (Int32, Int) in [(35_000, 3), (1, 1), (25_000, 2), (1_000_000, 1)] {
        let batch = try await fixture.store.claim(
          worker: "w", count: 10, lease: .seconds(60), maximumBytes: bytes)
        #expect(batch.count == count)
        claimed += batch.map(\.mockup.id)
      }
      #expect(Set(claimed) == Set(made))
      #expect(claimed.count == 7)
      // A mockup that did not fit a claim has not used an attempt.
      let attempts = try await fixture.ledger.lines(
        "SELECT DISTINCT attempt::text FROM mockupd.mockup_jobs")
      #expect(attempts == ["1"])
    }
  }

  @Test func `concurrent claims share the pending mockups`() async throws {
    try await WorkerFixture.with { fixture in
      var ids: Set<UUID> = []
      for _ in 0..<4 {
        let user = try await fixture.ledger.user()
        let assets = [try await fixture.asset(of: user), try await fixture.asset(of: user)]
        let scenes = ["bedroom", "living_room", "home_office"]
        ids.formUnion(try await fixture.generate(assets, scenes, for: user).mockups)
      }
      let claimed = try await withThrowingTaskGroup(of: [UUID].self) { group in
        for _ in 0..<8 {
          group.addTask {
            var mine: [UUID] = []
            for _ in 0..<6 { mine += try await fixture.claim(2).map(\.mockup.id) }
            return mine
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(claimed.count == 24)
      #expect(Set(claimed) == ids)
    }
  }

  @Test func `a claim that waits for counters does not block another claim`() async throws {
    try await WorkerFixture.with { fixture in
      let (first, second) = (try await fixture.ledger.user(), try await fixture.ledger.user())
      _ = try await fixture.pending(of: first)
      fixture.ledger.clock.advance(by: 1)
      let other = try await fixture.pending(of: second)
      let lock = "SELECT FROM mockupd.credit_counters WHERE user_id = '\(first)' FOR UPDATE"
      let waiting = try await fixture.ledger.withLocks(lock) {
        let waiting = Task { try await fixture.claim() }
        try await fixture.ledger.waitForBlockedStatements(1)
        // The oldest mockup is locked, so this claim takes the next one.
        #expect(try await fixture.claim().map(\.mockup.id) == [other])
        return waiting
      }
      #expect(try await waiting.value.map(\.mockup.userID) == [first])
    }
  }
}
