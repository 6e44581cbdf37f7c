import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// Every call locks a user's feed after the user's counters.
@Suite struct FeedLockTests {
  @Test(.timeLimit(.minutes(15)))
  func `a call that waits for the counters does not hold the feed lock`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let asset = try await fixture.asset(of: user)
      let mockup = try #require(try await fixture.generate([asset], for: user).mockups.first)
      let steps: [@Sendable () async throws -> Void] = [
        { _ = try await fixture.generate([asset], for: user) },
        // Before the claim, since deleting a dispatched mockup releases nothing and does not wait.
        { _ = try await fixture.store.delete(mockup, of: user) },
        { _ = try await fixture.claim() },
      ]
      for (number, step) in steps.enumerated() {
        let waiting = try await fixture.ledger.owner.withTransaction {
          transaction throws(PostgresError) in
          try await transaction.execute("SET LOCAL lock_timeout = '500 ms'")
          try await transaction.execute("SELECT FROM mockupd.credit_counters FOR NO KEY UPDATE")
          let task = Task { try await step() }
          try? await fixture.ledger.waitForBlockedStatements(1)
          // Takes the feed lock, like a call that has settled another reservation.
          try await transaction.execute(
            Statement("UPDATE mockups SET dm_render_id = '\(number)'"))
          return task
        }
        try await waiting.value
      }
    }
  }
}
