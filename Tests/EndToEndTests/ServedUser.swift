import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// A client of a server of its own, with a user.
enum ServedUser {
  /// Runs a closure with the client, the user, the database and the server, and verifies the ledger after it.
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
