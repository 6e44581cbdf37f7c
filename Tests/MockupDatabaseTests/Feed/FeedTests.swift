import FoundationEssentials
import MockupSchema
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// The changes of mockups that the feed records, whether made by calls or by SQL.
@Suite struct FeedTests {
  private static func withFeed(
    _ body: (LedgerFixture, MockupFeed) async throws -> Void
  ) async throws {
    try await LedgerFixture.with { ledger in
      try await ledger.database.withPool { pool in
        try await body(ledger, MockupFeed(pool: pool))
      }
    }
  }

  /// Returns the changes while a closure ran, as `id error`, or `id gone` after a deletion.
  private static func changes(
    _ feed: MockupFeed, of user: UUID, _ body: () async throws -> Void
  ) async throws -> [String] {
    let before = try #require(try await feed.revision(of: user))
    try await body()
    let changes = try await feed.changes(of: user, after: before, count: 100)
    #expect(changes.map(\.revision) == (0..<changes.count).map { before + 1 + Int64($0) })
    #expect(try await feed.revision(of: user) == before + Int64(changes.count))
    return changes.map { change in
      #expect(change.mockup.map { $0.id == change.mockupID && $0.userID == user } ?? true)
      let state = change.mockup.map { $0.errorMessage ?? "-" } ?? "gone"
      return "\(change.mockupID) \(state)"
    }
  }

  @Test func `a user without mockups has a feed and an unknown user has none`() async throws {
    try await Self.withFeed { ledger, feed in
      let user = try await ledger.user()
      #expect(try await feed.revision(of: user) == 0)
      #expect(try await feed.changes(of: user, after: 0, count: 1).isEmpty)
      #expect(try await feed.revision(of: UUID()) == nil)
    }
  }

  @Test func `an update that a watcher can see is a change`() async throws {
    try await Self.withFeed { ledger, feed in
      let user = try await ledger.user()
      var made: UUID?
      let first = try await Self.changes(feed, of: user) {
        made = try await ledger.mockup(of: user)
      }
      let mockup = try #require(made)
      #expect(first == ["\(mockup) -"])

      for change in [
        "status = 'generating'", "file_url = 'a', file_key = 'b'", "thumbnail_url = 'a'",
        "dm_render_id = 'a'", #"dm_metadata = '{"a": 1}'"#, "credits_used = 7",
        "quality_score = 0.5", #"scene_config = '{"a": 1}'"#,
      ] {
        let changes = try await Self.changes(feed, of: user) {
          try await ledger.run("UPDATE mockups SET \(change) WHERE id = '\(mockup)'")
        }
        #expect(changes == ["\(mockup) -"], "\(change)")
      }
    }
  }

  @Test func `pins, impressions and updates without effect are not changes`() async throws {
    try await Self.withFeed { ledger, feed in
      let user = try await ledger.user()
      let mockup = try await ledger.mockup(of: user)
      let changes = try await Self.changes(feed, of: user) {
        for set in ["total_pins = 5", "total_impressions = 9", "status = status, scene = scene"] {
          try await ledger.run("UPDATE mockups SET \(set) WHERE id = '\(mockup)'")
        }
        try await ledger.run("UPDATE mockups SET error_message = 'x' WHERE false")
        try await ledger.spend(3, for: user, mockup: mockup)
      }
      #expect(changes.isEmpty)
    }
  }

  @Test func `only the last change of a mockup is kept`() async throws {
    try await Self.withFeed { ledger, feed in
      let user = try await ledger.user()
      let (early, late) = (try await ledger.mockup(of: user), try await ledger.mockup(of: user))
      for number in 1...5 {
        try await ledger.run("UPDATE mockups SET error_message = '\(number)' WHERE id = '\(early)'")
      }
      let all = try await feed.changes(of: user, after: 0, count: 100)
      #expect(all.map(\.revision) == [2, 7])
      #expect(all.map(\.mockupID) == [late, early])
      #expect(all.last?.mockup?.errorMessage == "5")
      #expect(try await feed.changes(of: user, after: 0, count: 1) == [all[0]])
      #expect(try await feed.changes(of: user, after: 2, count: 100) == [all[1]])
    }
  }

  @Test func `a direct or cascading deletion is recorded as a change`() async throws {
    try await Self.withFeed { ledger, feed in
      let user = try await ledger.user()
      let (one, two) = (try await ledger.mockup(of: user), try await ledger.mockup(of: user))
      let deleted = try await Self.changes(feed, of: user) {
        try await ledger.run("DELETE FROM mockups WHERE id = '\(one)'")
      }
      #expect(deleted == ["\(one) gone"])
      let cascaded = try await Self.changes(feed, of: user) {
        try await ledger.run("DELETE FROM assets WHERE user_id = '\(user)'")
      }
      #expect(cascaded == ["\(two) gone"])
    }
  }

  @Test func `deleting a user deletes the feed`() async throws {
    try await Self.withFeed { ledger, feed in
      let (user, other) = (try await ledger.user(), try await ledger.user())
      _ = (try await ledger.mockup(of: user), try await ledger.mockup(of: user))
      _ = try await ledger.mockup(of: other)
      try await ledger.run("DELETE FROM auth.users WHERE id = '\(user)'")
      #expect(try await feed.revision(of: user) == nil)
      #expect(
        try await ledger.lines(
          """
          SELECT user_id FROM mockupd.mockup_feeds
          UNION ALL SELECT user_id FROM mockupd.mockup_changes
          """) == [other.uuidString.lowercased(), other.uuidString.lowercased()])
    }
  }

  @Test func `a transaction notifies each changed user once and a ledger entry none`() async throws
  {
    try await Self.withFeed { ledger, feed in
      let (user, other) = (try await ledger.user(), try await ledger.user())
      let (stream, continuation) = AsyncStream.makeStream(of: NotificationListener.Event.self)
      let listener = try NotificationListener(
        configuration: ledger.database.service, channels: [MockupFeed.channel]
      ) { continuation.yield($0) }
      let running = Task { await listener.run() }
      var events = stream.makeAsyncIterator()
      #expect(await events.next() == .listening)

      try await ledger.owner.withTransaction { transaction throws(PostgresError) in
        for owner in [user, other] {
          try await transaction.execute(
            Statement(
              """
              WITH asset AS (INSERT INTO assets (user_id) VALUES ('\(owner)') RETURNING id)
              INSERT INTO mockups (user_id, asset_id, scene, file_url, file_key)
              SELECT '\(owner)', id, 'bedroom', '', '' FROM asset, generate_series(1, 50)
              """))
        }
        try await transaction.execute("UPDATE mockups SET error_message = 'x'")
        try await transaction.execute("UPDATE mockups SET total_pins = 1")
      }
      try await ledger.spend(3, for: user)
      try await ledger.run("NOTIFY mockupd_mockups, 'end'")
      var payloads: [String] = []
      while payloads.last != "end", case .notification(let sent)? = await events.next() {
        payloads.append(sent.payload)
      }
      listener.shutdown()
      await running.value
      let names = [user, other].map { $0.uuidString.lowercased() }
      #expect(payloads.dropLast().sorted() == names.sorted())
      #expect(try await feed.revision(of: user) == 100)
    }
  }

  @Test func `the feed includes mockups that existed before it`() async throws {
    try await MigratedDatabase.withoutSchema { database in
      let migrator = try Schema.migrator(configuration: database.owner)
      try await migrator.migrate(upTo: 12)
      let user = try await database.makeUser()
      try await database.owner.run(
        """
        WITH asset AS (INSERT INTO assets (user_id) VALUES ('\(user)') RETURNING id)
        INSERT INTO mockups (user_id, asset_id, scene, file_url, file_key, updated_at)
        SELECT '\(user)', id, number::text, '', '', now() + number * interval '1 s'
        FROM asset, generate_series(1, 3) AS number
        """)
      try await migrator.migrate()
      try await database.withPool { pool in
        let feed = MockupFeed(pool: pool)
        let changes = try await feed.changes(of: user, after: 0, count: 100)
        #expect(changes.map(\.revision) == [1, 2, 3])
        #expect(changes.map(\.mockup?.scene) == ["1", "2", "3"])
        #expect(try await feed.revision(of: user) == 3)
      }
    }
  }
}
