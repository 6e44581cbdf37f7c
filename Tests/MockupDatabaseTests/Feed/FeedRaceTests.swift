import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// A reader that continues after its last revision misses no change of concurrent writers.
@Suite struct FeedRaceTests {
  private static let writers = 6
  private static let transactions = 25

  /// A reader of one user's feed, with the last state of each mockup.
  private struct Reader {
    let user: UUID
    var revision: Int64 = 0
    var states: [UUID: String] = [:]

    /// Reads all further changes, a few at a time.
    mutating func readChanges(from feed: MockupFeed) async throws {
      while true {
        let changes = try await feed.changes(of: user, after: revision, count: 3)
        for change in changes {
          #expect(change.revision > revision)
          revision = change.revision
          states[change.mockupID] = change.mockup.map { $0.errorMessage ?? "-" }
        }
        if changes.isEmpty { return }
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `a reader receives every final state of overlapping transactions`() async throws {
    try await LedgerFixture.with { ledger in
      let users = [try await ledger.user(), try await ledger.user(), try await ledger.user()]
      for user in users { for _ in 1...4 { _ = try await ledger.mockup(of: user) } }

      let running = (0..<Self.writers).map { writer in
        Task { try await write(as: writer, ledger) }
      }
      try await ledger.database.withPool { pool in
        let feed = MockupFeed(pool: pool)
        let isDone = Flag()
        let watching = Task {
          for task in running { _ = await task.result }
          isDone.set()
        }
        var readers = users.map { Reader(user: $0) }
        while !isDone.isSet {
          for index in readers.indices { try await readers[index].readChanges(from: feed) }
        }
        await watching.value
        for task in running { try await task.value }
        for index in readers.indices {
          try await readers[index].readChanges(from: feed)
          let user = readers[index].user
          let states = readers[index].states.map { "\($0.uuidString.lowercased()) \($1)" }
          let expected = try await ledger.lines(
            """
            SELECT id || ' ' || coalesce(error_message, '-') FROM mockups
            WHERE user_id = '\(user)'
            """)
          #expect(states.sorted() == expected.sorted())
        }
      }
    }
  }

  /// Changes mockups of all users, several in one statement, in transactions that take a while.
  private func write(as writer: Int, _ ledger: LedgerFixture) async throws {
    var random = SplitMix64(state: TestSeed.value &+ UInt64(writer))
    var configuration = ledger.database.owner
    configuration.connectionCount = 1
    try await configuration.withPool { pool in
      for number in 1...Self.transactions {
        let choice = Int.random(in: 0..<10, using: &random)
        let milliseconds = Int.random(in: 0...8, using: &random)
        let seed = Double.random(in: -1...1, using: &random)
        try await pool.withTransaction { transaction throws(PostgresError) in
          try await transaction.execute("SELECT setseed($1)", [seed])
          // Locked in one order, so that writers do not deadlock.
          try await transaction.execute(
            """
            CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS
            SELECT id, user_id, asset_id FROM mockups
            WHERE id IN (SELECT id FROM mockups ORDER BY random() LIMIT 3)
            ORDER BY id FOR NO KEY UPDATE
            """)
          if choice == 0 {
            try await transaction.execute(
              """
              INSERT INTO mockups (user_id, asset_id, scene, file_url, file_key)
              SELECT user_id, asset_id, 'bedroom', '', '' FROM chosen
              """)
          } else if choice == 1 {
            try await transaction.execute(
              "DELETE FROM mockups WHERE id = (SELECT max(id::text)::uuid FROM chosen)")
          } else {
            try await transaction.execute(
              """
              UPDATE mockups SET error_message = $1 WHERE id IN (SELECT id FROM chosen)
              """, ["\(writer).\(number)"])
          }
          try await transaction.execute("SELECT pg_sleep($1)", [Double(milliseconds) / 1000])
        }
      }
    }
  }
}
