import FoundationEssentials
import MockupStore
import Mockups
import TestSupport
import Testing

@Suite struct LeaseTests {
  @Test func aLapsedLeaseMakesTheMockupAnothersAndTheFirstWorkerCanNoLongerEndIt() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user(budget: 10)
      let first = try await studio.claimed(of: user)
      studio.books.clock.advance(by: 59)
      #expect(try await studio.claim().isEmpty)
      studio.books.clock.advance(by: 1)
      let second = MockupAttempt(try #require(try await studio.claim().first))
      #expect(second.mockupID == first.mockupID)
      #expect(second.number == 2)
      let lost = "lost to attempt 2"
      #expect(
        try await answer { try await studio.store.heartbeat(first, lease: .seconds(60)) } == lost)
      #expect(try await answer { try await studio.complete(first) } == lost)
      #expect(
        try await answer { try await studio.store.fail(first, because: "", mayRetry: true) }
          == lost)
      let outcome = try await studio.complete(second)
      #expect(outcome.mockup.status == .completed)
      #expect(outcome.usage.used == 1)
      #expect(try await studio.books.ledger(of: user).count == 1)
    }
  }

  @Test func aHeartbeatKeepsTheLease() async throws {
    try await Studio.with { studio in
      let attempt = try await studio.claimed(of: try await studio.books.user())
      for _ in 0..<3 {
        studio.books.clock.advance(by: 50)
        let end = try await studio.store.heartbeat(attempt, lease: .seconds(60))
        #expect(end == studio.books.clock.now.addingTimeInterval(60))
        #expect(try await studio.claim().isEmpty)
      }
      studio.books.clock.advance(by: 60)
      #expect(try await studio.claim().count == 1)
    }
  }

  @Test func aLapsedLeaseThatNobodyTookIsStillGood() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user()
      let attempt = try await studio.claimed(of: user)
      studio.books.clock.advance(by: 1000)
      _ = try await studio.store.heartbeat(attempt, lease: .seconds(1))
      studio.books.clock.advance(by: 1000)
      #expect(try await studio.complete(attempt).mockup.status == .completed)
    }
  }

  @Test func aReservationOutlastsAMockupThatIsBeingMade() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user(budget: 10)
      _ = try await studio.pending(of: user, seconds: 60)
      let attempt = MockupAttempt(try #require(try await studio.claim().first))
      for _ in 0..<4 {
        studio.books.clock.advance(by: 50)
        _ = try await studio.store.heartbeat(attempt, lease: .seconds(60))
      }
      #expect(try await studio.reservation(of: attempt.mockupID, user) == "dispatched 1")
      #expect(try await studio.complete(attempt).mockup.creditsUsed == 1)
    }
  }

  @Test func afterTheLastAttemptTheMockupFailsAndItsCreditsAreForAnAdmin() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user(budget: 10)
      let id = try await studio.pending(of: user, credits: 4)
      for number: Int32 in 1...3 {
        let claimed = try #require(try await studio.claim().first)
        #expect(claimed.mockup.attempt == number)
        #expect(claimed.attemptsLeft == 3 - number)
        studio.books.clock.advance(by: 60)
      }
      #expect(try await studio.claim().isEmpty)
      let mockup = try await studio.store.mockup(id, of: user)
      #expect(mockup.status == .failed)
      #expect(mockup.errorMessage == "no worker finished the mockup in 3 attempts")
      #expect(mockup.creditsUsed == 0)
      #expect(try await studio.reservation(of: id, user) == "dispatched 4")
      let late = MockupAttempt(userID: user, mockupID: id, number: 3)
      #expect(
        try await answer { try await studio.complete(late) } == "failed does not become completed")
      // It has as many attempts again when it is asked for again, and goes on counting.
      try await studio.regenerate(id, of: user)
      let claimed = try #require(try await studio.claim().first)
      #expect(claimed.mockup.attempt == 4)
      #expect(claimed.attemptsLeft == 2)
      studio.books.clock.advance(by: 86_400)
      #expect(try await studio.books.store.usage(of: user).held == 5)
    }
  }

  @Test func aSweepTakesBackSoManyLeasesAndSkipsWhatOthersAreAt() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user()
      for _ in 0..<3 { _ = try await studio.claimed(of: user) }
      let sweep = { (limit: Int) in
        let now = studio.books.clock.now.formatted(.iso8601)
        return try await studio.books.lines("SELECT mockupd.expire_leases('\(now)', \(limit))")
      }
      #expect(try await sweep(10) == ["0"])
      studio.books.clock.advance(by: 60)
      #expect(try await sweep(2) == ["2"])
      let lock = "SELECT FROM mockupd.mockup_jobs FOR UPDATE"
      #expect(try await studio.books.holding(lock) { try await sweep(10) } == ["0"])
      #expect(try await sweep(10) == ["1"])
      let page = try await studio.store.mockups(of: user, count: 10)
      #expect(page.mockups.map(\.status) == [.pending, .pending, .pending])
    }
  }
}
