import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// A user, and a client that is connected to a server of the test's own.
enum ServedUser {
  /// Runs a closure with the client, the user, the database and the server.
  ///
  /// When the closure has returned, the ledger is verified.
  static func with(
    annualBudget: Int,
    _ body: (MockupClient, UUID, MigratedDatabase, RunningServer) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: annualBudget)
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          try await body(client, user, database, server)
        }
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }
}
