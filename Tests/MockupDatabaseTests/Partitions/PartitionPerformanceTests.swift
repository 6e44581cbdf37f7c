import FoundationEssentials
import MockupCore
import MockupDatabase
import Postgres
import TestSupport
import Testing

/// Batches of pins and impressions through a proxy database.
@Suite struct PartitionPerformanceTests {
  /// Returns the id of a batch whose home is the given partition, of two.
  private static func id(of home: UInt8) -> UUID {
    var bytes = UUID().uuid
    bytes.15 = home
    return UUID(uuid: bytes)
  }

  /// Makes a mockup in each partition, and returns an entry of one pin for each.
  private static func makeEntries(in database: PartitionedDatabase) async throws
    -> [PerformanceEntry]
  {
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
    return entries
  }

  private static func pins(in partition: MigratedDatabase) async throws -> [String] {
    try await partition.withOwner { pool in
      try await pool.lines("SELECT sum(total_pins) FROM mockups")
    }
  }

  /// Records a batch of one entry, and expects others with the same id to be refused.
  private static func expectOneCount(
    _ store: PerformanceStore, _ home: UInt8, _ entry: PerformanceEntry, _ other: PerformanceEntry
  ) async throws {
    let id = Self.id(of: home)
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

  @Test func `a batch of which a partition cannot count its entries has an unknown outcome`()
    async throws
  {
    try await PartitionedDatabase.with { database in
      let entries = try await Self.makeEntries(in: database)
      try await database.proxy.withPool { pool in
        let store = PerformanceStore(pool: pool)
        // The partitions are counted while both are reachable.
        try await Self.expectOneCount(store, 0, entries[0], entries[1])
        try await database.proxy.owner.run(
          "ALTER SERVER mockupd OPTIONS (SET p1 'dbname=part1 host=/nonexistent')")
        for (home, code) in [
          (UInt8(0), PostgresError.Code.connectionLost), (1, .connectionUnavailable),
        ] {
          let batch = PerformanceBatch(id: Self.id(of: home), entries: entries)
          let error = await #expect(throws: PostgresError.self) { try await store.record(batch) }
          #expect(error?.code == code)
        }
      }
      #expect(try await Self.pins(in: database.partitions[0]) == ["2"])
    }
  }

  @Test func `an id with other entries is refused, whatever partitions they belong to`()
    async throws
  {
    try await PartitionedDatabase.with { database in
      let entries = try await Self.makeEntries(in: database)
      try await database.proxy.withPool { pool in
        let store = PerformanceStore(pool: pool)
        // Ids whose home is each of the partitions, with entries of each.
        for home in [UInt8(0), 1] {
          try await Self.expectOneCount(store, home, entries[0], entries[1])
          try await Self.expectOneCount(store, home, entries[1], entries[0])
        }
      }
      for partition in database.partitions {
        #expect(try await Self.pins(in: partition) == ["2"])
      }
    }
  }
}
