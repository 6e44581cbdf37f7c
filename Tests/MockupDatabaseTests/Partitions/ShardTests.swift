import FoundationEssentials
import MockupCore
import MockupDatabase
import Postgres
import TestSupport
import Testing

/// The batches of single changes, when there are partitions.
@Suite(.timeLimit(.minutes(15))) struct ShardTests {
  private static let partitions = 2

  /// Counts the statements with batches, and those that the proxy refuses because their users
  /// belong to several partitions.
  private static let counters = """
    CREATE SEQUENCE mockupd.statements;
    CREATE SEQUENCE mockupd.refusals;
    GRANT USAGE ON SEQUENCE mockupd.statements, mockupd.refusals TO mockupd_service;
    ALTER FUNCTION mockupd.partition_of(uuid[]) RENAME TO counted_partition_of;
    CREATE FUNCTION mockupd.partition_of(p_user_ids uuid[]) RETURNS integer LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM nextval('mockupd.statements');
      RETURN mockupd.counted_partition_of(p_user_ids);
    EXCEPTION WHEN SQLSTATE '22MP1' THEN
      PERFORM nextval('mockupd.refusals');
      RAISE;
    END $$;
    """

  private func count(_ name: String, in proxy: Pool) async throws -> Int? {
    try await proxy.lines(
      "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM mockupd.\(name)"
    ).first.flatMap { Int($0) }
  }

  /// A number of shards that is not a multiple of the number of partitions costs more statements,
  /// with the same answers.
  @Test(arguments: 1...4)
  func `a batch is one partition's if the shards are aligned with the partitions`(shards: Int)
    async throws
  {
    try await PartitionedDatabase.with(Self.partitions) { database in
      // The last byte of a user's id decides the shard and the partition.
      let users = try await (0..<12 as Range<UInt8>).asyncMap { byte in
        var bytes = UUID().uuid
        bytes.15 = byte
        return try await database.partitions[Int(byte) % Self.partitions].makeUser(
          UUID(uuid: bytes))
      }
      try await database.proxy.withPool({ $0.connectionCount = 2 * shards }) { pool in
        try await database.proxy.withOwner { proxy in
          // The counters of the users exist, so that they can be locked.
          let store = CreditStore(pool: pool)
          for user in users { _ = try await store.reserve(Self.request(for: user)) }
          try await proxy.withTransaction { transaction throws(PostgresError) in
            try await transaction.runScript(Self.counters)
          }
          let firsts = users.prefix(shards)
          var limits = BatchLimits()
          limits.shards = shards
          let sharded = CreditStore(pool: pool, limits: limits)
          let tasks = try await withLocks(in: database.partitions) {
            // A batch of each shard waits for a lock, so all other changes wait for the next ones.
            let sent = firsts.map { user in
              Task { try await sharded.reserve(Self.request(for: user)) }
            }
            try await eventually("a batch of each shard is in flight") {
              try await count("statements", in: proxy) == shards
            }
            let waiting = users.dropFirst(shards).map { user in
              Task { try await sharded.reserve(Self.request(for: user)) }
            }
            try await eventually("the other changes wait") {
              sharded.waitingChanges.reduce(0, +) == waiting.count
            }
            return sent + waiting
          }
          for task in tasks {
            let outcome = try await task.value
            #expect(outcome.admission.isAdmitted && !outcome.isReplayed)
            #expect(outcome.admission.usage.held == 2)
          }
          let refusals = try await count("refusals", in: proxy)
          if shards.isMultiple(of: Self.partitions) {
            #expect(refusals == 0)
            #expect(try await count("statements", in: proxy) == 2 * shards)
          } else {
            #expect(try #require(refusals) > 0)
          }
        }
      }
      #expect(try await database.discrepancies() == [])
    }
  }

  private static func request(for user: UUID) throws -> ReservationRequest {
    try ReservationRequest(userID: user, id: UUID(), credits: 1)
  }

  /// Runs a closure while the counters of all users are locked.
  private func withLocks<Value>(
    in partitions: [MigratedDatabase], _ body: () async throws -> Value
  ) async throws -> Value {
    guard let partition = partitions.first else { return try await body() }
    return try await partition.withOwner { owner in
      let result: Result<Value, any Error> =
        try await owner.withTransaction { transaction throws(PostgresError) in
          try await transaction.execute("SELECT FROM mockupd.credit_counters FOR UPDATE")
          do {
            return .success(try await withLocks(in: Array(partitions.dropFirst()), body))
          } catch {
            return .failure(error)
          }
        }
      return try result.get()
    }
  }
}

extension Sequence {
  fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async throws -> [Value]
  {
    var values: [Value] = []
    for element in self { values.append(try await body(element)) }
    return values
  }
}
