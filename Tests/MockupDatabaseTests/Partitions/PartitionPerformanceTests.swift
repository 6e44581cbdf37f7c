import FoundationEssentials
import MockupCore
import MockupDatabase
import Postgres
import TestSupport
import Testing

/// Batches of pins and impressions through a proxy database.
@Suite struct PartitionPerformanceTests {
  /// Records a batch of one entry, and expects others with the same id to be refused.
  private static func expectOneCount(
    _ store: PerformanceStore, _ home: UInt8, _ entry: PerformanceEntry, _ other: PerformanceEntry
  ) async throws {
    var bytes = UUID().uuid
    bytes.15 = home
    let id = UUID(uuid: bytes)
    let batch = PerformanceBatch(id: id, entries: [entry])
    let others = PerformanceBatch(id: id, entries: [other])
    let both = PerformanceBatch(id: id, entries: [entry, other])
    var outcome = PerformanceOutcome(counted: 1, refused: [], isReplayed: false)
    #expect(try await store.record(batch) == .recorded(outcome))
    outcome.isReplayed = true
    for refused in [others, both] {
      #expect(try await store.record(refused) == .conflictingEntries)
    }
    #expect(try await store.record(batch) == .recorded(outcome))
    #expect(
      try await store.record([batch, others, batch])
        == [.recorded(outcome), .conflictingEntries, .recorded(outcome)])
  }

  @Test func `an id with other entries is refused, whatever partitions they belong to`()
    async throws
  {
    try await PartitionedDatabase.with { database in
      var entries: [PerformanceEntry] = []
      for number in [0, 1] {
        let user = try await database.makeUser(in: number)
        let mockup = UUID()
        try await database.partitions[number].owner.run(
          """
          WITH asset AS (INSERT INTO assets (user_id) VALUES ('\(user)') RETURNING id)
          INSERT INTO mockups (id, user_id, asset_id, scene, file_url, file_key)
          SELECT '\(mockup)', '\(user)', id, 'bedroom', '', '' FROM asset
          """)
        entries.append(PerformanceEntry(userID: user, mockupID: mockup, pins: 1, impressions: 0))
      }
      try await database.proxy.withPool { pool in
        let store = PerformanceStore(pool: pool)
        // Ids whose home is each of the partitions, with entries of each.
        for home in [UInt8(0), 1] {
          try await Self.expectOneCount(store, home, entries[0], entries[1])
          try await Self.expectOneCount(store, home, entries[1], entries[0])
        }
      }
      for partition in database.partitions {
        let pins = try await partition.withOwner { pool in
          try await pool.lines("SELECT sum(total_pins) FROM mockups")
        }
        #expect(pins == ["2"])
      }
    }
  }
}
