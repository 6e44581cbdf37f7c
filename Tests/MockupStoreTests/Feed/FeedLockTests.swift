import FoundationEssentials
import MockupStore
import Mockups
import Postgres
import TestSupport
import Testing

/// In which order a user's feed is locked: after the user's counters, by everybody.
@Suite struct FeedLockTests {
  @Test(.timeLimit(.minutes(15)))
  func whoWaitsForTheCountersKeepsNobodyFromTheFeed() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user(budget: 10)
      let asset = try await studio.asset(of: user)
      let mockup = try #require(try await studio.generate([asset], for: user).mockups.first)
      let steps: [@Sendable () async throws -> Void] = [
        { _ = try await studio.generate([asset], for: user) },
        // While its credits are held: what was dispatched gives nothing back, and waits for nobody.
        { _ = try await studio.store.delete(mockup, of: user) },
        { _ = try await studio.claim() },
      ]
      for (number, step) in steps.enumerated() {
        let waiting = try await studio.books.owner.withTransaction {
          transaction throws(PostgresError) in
          try await transaction.execute("SET LOCAL lock_timeout = '500 ms'")
          try await transaction.execute("SELECT FROM mockupd.credit_counters FOR NO KEY UPDATE")
          let task = Task { try await step() }
          try? await studio.books.untilWaiting(1)
          // As one does who has settled the credits of another mockup.
          try await transaction.execute(
            Statement("UPDATE mockups SET dm_render_id = '\(number)'"))
          return task
        }
        try await waiting.value
      }
    }
  }
}
