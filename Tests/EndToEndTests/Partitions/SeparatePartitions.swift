import Foundation
import MockupClient
import Postgres
import TestSupport

/// A server over two partitions, each in a PostgreSQL of its own, which a test can stop and pause.
///
/// The proxy database is in the PostgreSQL of the second partition.
struct SeparatePartitions {
  let partitions: [PrivatePostgres]
  let proxy: PostgresConfiguration
  let server: RunningServer
  /// A user of each partition.
  let users: [UUID]

  /// Starts everything, runs a closure, and verifies the ledgers.
  static func with(
    settings: [String: String] = [:], annualBudget: Int = 1_000_000,
    _ body: (SeparatePartitions, MockupClient) async throws -> Void
  ) async throws {
    try await PrivatePostgres.with { first in
      try await PrivatePostgres.with { second in
        let partitions = [first, second]
        let proxy = try await second.makeDatabase("proxy")
        var databases = partitions.map(\.database)
        for index in databases.indices { databases[index].lockTimeout = .milliseconds(100) }
        try await proxy.makeProxy(over: databases)
        var users: [UUID] = []
        for (number, partition) in partitions.enumerated() {
          let user = UUID.ofPartition(number)
          try await partition.makeUser(user, annualBudget: annualBudget)
          users.append(user)
        }
        try await withTemporaryFolder { folder in
          let server = try await RunningServer.start(
            on: proxy, settings: settings, folder: folder)
          var configuration = MockupClient.Configuration(timeout: testTimeout)
          configuration.retry.attempts = 1
          try await MockupClient.withConnection(
            to: .unixSocket(path: server.socket), configuration: configuration
          ) { client in
            try await body(
              SeparatePartitions(
                partitions: partitions, proxy: proxy, server: server, users: users), client)
          }
          _ = await server.stop()
        }
        for partition in partitions {
          let discrepancies = try await partition.discrepancies()
          guard discrepancies.isEmpty else {
            throw Program.Failure(description: "\(discrepancies)")
          }
        }
      }
    }
  }
}

extension UUID {
  /// Returns a new id of a partition; ids with equal numbers share a shard of the server, too.
  static func ofPartition(_ number: Int) -> UUID {
    var bytes = UUID().uuid
    bytes.15 = UInt8(number)
    return UUID(uuid: bytes)
  }
}
