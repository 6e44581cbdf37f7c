import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct LeaseTests {
  @Test func `a worker that lost its lease cannot complete or fail the mockup`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let first = try await fixture.claimed(of: user)
      fixture.ledger.clock.advance(by: 59)
      #expect(try await fixture.claim().isEmpty)
      fixture.ledger.clock.advance(by: 1)
      let second = MockupAttempt(try #require(try await fixture.claim().first))
      #expect(second.mockupID == first.mockupID)
      #expect(second.number == 2)
      let lost = "lost to attempt 2"
      #expect(
        try await answer { try await fixture.store.heartbeat(first, lease: .seconds(60)) } == lost)
      #expect(try await answer { try await fixture.complete(first) } == lost)
      #expect(
        try await answer { try await fixture.store.fail(first, because: "", mayRetry: true) }
          == lost)
      let outcome = try await fixture.complete(second)
      #expect(outcome.mockup.status == .completed)
      #expect(outcome.usage.used == 1)
      #expect(try await fixture.ledger.entries(of: user).count == 1)
    }
  }

  @Test func `a heartbeat extends the lease`() async throws {
    try await WorkerFixture.with { fixture in
      let attempt = try await fixture.claimed(of: try await fixture.ledger.user())
      for _ in 0..<3 {
        fixture.ledger.clock.advance(by: 50)
        let end = try await fixture.store.heartbeat(attempt, lease: .seconds(60))
        #expect(end == fixture.ledger.clock.now.addingTimeInterval(60))
        #expect(try await fixture.claim().isEmpty)
      }
      fixture.ledger.clock.advance(by: 60)
      #expect(try await fixture.claim().count == 1)
    }
  }

  @Test func `an expired lease stays valid until another worker claims the mockup`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let attempt = try await fixture.claimed(of: user)
      fixture.ledger.clock.advance(by: 1000)
      _ = try await fixture.store.heartbeat(attempt, lease: .seconds(1))
      fixture.ledger.clock.advance(by: 1000)
      #expect(try await fixture.complete(attempt).mockup.status == .completed)
    }
  }

  @Test func `heartbeats keep the reservation of a mockup open`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      _ = try await fixture.pending(of: user, seconds: 60)
      let attempt = MockupAttempt(try #require(try await fixture.claim().first))
      for _ in 0..<4 {
        fixture.ledger.clock.advance(by: 50)
        _ = try await fixture.store.heartbeat(attempt, lease: .seconds(60))
      }
      #expect(try await fixture.reservation(of: attempt.mockupID, user) == "dispatched 1")
      #expect(try await fixture.complete(attempt).mockup.creditsUsed == 1)
    }
  }

  @Test func `after the last attempt the mockup fails and its credits stay dispatched`()
    async throws
  {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let id = try await fixture.pending(of: user, credits: 4)
      for number: Int32 in 1...3 {
        let claimed = try #require(try await fixture.claim().first)
        #expect(claimed.mockup.attempt == number)
        #expect(claimed.attemptsLeft == 3 - number)
        fixture.ledger.clock.advance(by: 60)
      }
      #expect(try await fixture.claim().isEmpty)
      let mockup = try await fixture.store.mockup(id, of: user)
      #expect(mockup.status == .failed)
      #expect(mockup.errorMessage == "no worker finished the mockup in 3 attempts")
      #expect(mockup.creditsUsed == 0)
      #expect(try await fixture.reservation(of: id, user) == "dispatched 4")
      let late = MockupAttempt(userID: user, mockupID: id, number: 3)
      #expect(
        try await answer { try await fixture.complete(late) } == "failed does not become completed")
      // A regeneration allows as many attempts again, and their numbers go on.
      try await fixture.regenerate(id, of: user)
      let claimed = try #require(try await fixture.claim().first)
      #expect(claimed.mockup.attempt == 4)
      #expect(claimed.attemptsLeft == 2)
      fixture.ledger.clock.advance(by: 86_400)
      #expect(try await fixture.ledger.store.usage(of: user).held == 5)
    }
  }

  @Test func `a mockup that was completed by SQL is not queued again`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let id = try await fixture.claimed(of: user).mockupID
      try await fixture.ledger.run(
        """
        UPDATE mockups SET status = 'completed', file_url = 'u', file_key = 'k'
        WHERE id = '\(id)'
        """)
      fixture.ledger.clock.advance(by: 60)
      #expect(try await fixture.claim().isEmpty)
      #expect(try await fixture.ledger.lines("SELECT state FROM mockupd.mockup_jobs") == ["done"])
      #expect(try await fixture.store.mockup(id, of: user).status == .completed)
    }
  }

  @Test func `a sweep expires leases up to its limit and skips locked jobs and mockups`()
    async throws
  {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      for _ in 0..<3 { _ = try await fixture.claimed(of: user) }
      let sweep = { (limit: Int) in
        let now = fixture.ledger.clock.now.formatted(.iso8601)
        return try await fixture.ledger.lines("SELECT mockupd.expire_leases('\(now)', \(limit))")
      }
      #expect(try await sweep(10) == ["0"])
      fixture.ledger.clock.advance(by: 60)
      #expect(try await sweep(2) == ["2"])
      for table in ["mockupd.mockup_jobs", "public.mockups"] {
        let lock = "SELECT FROM \(table) FOR UPDATE"
        #expect(try await fixture.ledger.withLocks(lock) { try await sweep(10) } == ["0"])
      }
      #expect(try await sweep(10) == ["1"])
      let page = try await fixture.store.mockups(of: user, count: 10)
      #expect(page.rows.map(\.status) == [.pending, .pending, .pending])
    }
  }
}
