import Postgres
import TestSupport
import Testing

@testable import MockupDatabase

/// Visits of partitions of which some do not answer.
@Suite struct PartitionVisitsTests {
  @Test func `work that may have had an effect decides the error`() async throws {
    try await PartitionedDatabase.with { database in
      try await database.proxy.withPool { pool in
        // The first partition of a visit is a random one.
        for _ in 0..<8 {
          let visits = PartitionVisits(limit: .milliseconds(50))
          let error = await #expect(throws: PostgresError.self) {
            _ = try await visits.visit(pool) { _, number throws(PostgresError) in
              if number == 0 { try? await Task.sleep(for: .seconds(600)) }
              throw PostgresError(.connectionUnavailable, "not reachable")
            }
          }
          #expect(error?.code == .connectionLost)
        }
      }
    }
  }
}
