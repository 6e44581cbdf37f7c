import Foundation
import MockupClient
import Postgres
import TestSupport
import Testing

/// `mockupctl health` against mockupd.
@Suite struct HealthCommandTests {
  private static func mockupctl(
    _ arguments: [String], at server: RunningServer
  ) async throws -> Program.Ending {
    try await Program.mockupctl.run(
      arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket])
  }

  /// Waits until the server reports SERVING, which happens shortly after it is ready.
  private static func waitUntilServing(_ server: RunningServer) async throws {
    try await eventually("mockupd reports SERVING") {
      try await mockupctl(["health"], at: server).exitCode == 0
    }
  }

  @Test func `health prints the status and sets the exit code`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        try await Self.waitUntilServing(server)
        for service in [[], ["mockups.v1.CreditService"]] {
          let ending = try await Self.mockupctl(["health"] + service, at: server)
          #expect(ending.exitCode == 0)
          #expect(ending.output == "SERVING\n")
          #expect(ending.errors.isEmpty)
        }
        let unknown = try await Self.mockupctl(["health", "no.Service"], at: server)
        #expect(unknown.exitCode == 3)
        #expect(unknown.errorLines == ["mockupctl: NOT_FOUND: unknown service"])
      }
      let nowhere = try await Program.mockupctl.run(["health", "--socket", "/nowhere/socket"])
      #expect(nowhere.exitCode == 69)
      #expect(nowhere.output.isEmpty)
      #expect(
        nowhere.errorLines == [
          "mockupctl: UNAVAILABLE: cannot connect to /nowhere/socket: No such file or directory"
        ])
    }
  }

  @Test func `health ends at its timeout if the server does not answer`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        server.process.signal(SIGSTOP)
        for arguments in [["health"], ["health", "--watch"]] {
          let ending = try await Self.mockupctl(arguments + ["--timeout", "0.2"], at: server)
          #expect(ending.exitCode == 75, "\(arguments) \(ending)")
          #expect(
            ending.errorLines == ["mockupctl: DEADLINE_EXCEEDED: the call's deadline has passed"])
        }
        server.process.signal(SIGCONT)
      }
    }
  }

  @Test func `a watch prints statuses as they arrive and ends on SIGINT`() async throws {
    try await PrivatePostgres.with { postgres in
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(
          on: postgres.database, folder: folder)
        try await Self.waitUntilServing(server)
        let program = try Program.mockupctl.start(
          ["health", "--watch"], environment: ["MOCKUPD_SOCKET_PATH": server.socket],
          folder: folder)
        try await program.waitForOutput("SERVING\n")
        try await postgres.stop()
        try await program.waitForOutput("SERVING\nNOT_SERVING\n")
        try await postgres.start()
        try await program.waitForOutput("SERVING\nNOT_SERVING\nSERVING\n")
        program.signal(SIGINT)
        let ending = await program.ending()
        #expect(ending.exitCode == nil)
        #expect(ending.output == "SERVING\nNOT_SERVING\nSERVING\n")
        #expect(ending.errors.isEmpty)
        #expect(await server.stop().exitCode == 0)
      }
    }
  }

  @Test func `a server without its database reports NOT_SERVING`() async throws {
    try await withTemporaryFolder { folder in
      let nowhere = PostgresConfiguration(
        url: "postgresql:///mockups?host=\(folder)", applicationName: "test")
      let server = try await RunningServer.start(
        on: nowhere, settings: ["MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS": "1"], folder: folder)
      for arguments in [["health"], ["health", "mockups.v1.CreditService"]] {
        let ending = try await Self.mockupctl(arguments, at: server)
        #expect(ending.exitCode == 69)
        #expect(ending.output == "NOT_SERVING\n")
        #expect(ending.errors.isEmpty)
      }
      let usage = try await Self.mockupctl(["usage", UUID().uuidString], at: server)
      #expect(usage.exitCode == 69)
      #expect(
        usage.errorLines == ["mockupctl: the database is not reachable; the call had no effect"])
      let error = await #expect(throws: RPCError.self) {
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          try await client.credits.reserve(for: UUID(), credits: 1)
        }
      }
      #expect(error?.code == .unavailable)
      #expect(error?.mayHaveEffect == false)
      #expect(await server.stop().exitCode == 0)
    }
  }
}
