import Foundation
import MockupClient
import TestSupport
import Testing

/// Sockets that the server inherits from another process, as with systemd socket activation.
@Suite struct SocketActivationTests {
  @Test func `an inherited socket is served and stays open after the server exits`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      try await withTemporaryFolder { folder in
        let socket = "\(folder)/socket"
        let listener = try RawListener(path: socket)
        for remaining in [9, 8] {
          // The server ignores the socket settings.
          let server = try await RunningServer.start(
            on: database.service, inheriting: listener,
            arguments: ["--socket", "/nowhere/socket", "--socket-mode", "0"], folder: folder)
          try await MockupClient.withConnection(to: .unixSocket(path: socket)) { client in
            let answer = try await client.credits.reserve(for: user, credits: 1)
            #expect(answer.remaining == remaining)
          }
          let ending = await server.stop()
          #expect(ending.exitCode == 0, "\(ending)")
          #expect(ending.output == "ready \(socket)\n")
          #expect(ending.errors.isEmpty, "\(ending)")
          // Connections wait in the socket's queue for the next server.
          #expect(throws: Never.self) { try RawPeer(path: socket) }
        }
      }
    }
  }

  @Test func `a second socket is refused`() async throws {
    try await Self.expectRefusal(
      count: 2, "Error: LISTEN_FDS passes 2 sockets, but mockupd serves only one")
  }

  @Test func `a descriptor that is not open is refused`() async throws {
    try await Self.expectRefusal(
      count: 500, "Error: invalid LISTEN_FDS \"500\": descriptor ")
  }

  @Test func `a descriptor of the server's own is not taken for an inherited socket`() async throws
  {
    try await withTemporaryFolder { folder in
      // Without an inherited descriptor, the number 3 is the first that the runtime opens itself.
      let ending = try await RunningProgram(
        URL(filePath: "/bin/bash"),
        [
          "-c", #"exec 3>&-; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve"#,
          Program.mockupd.executable.path(),
        ],
        environment: ["MOCKUPD_DATABASE_URL": "postgresql:///nowhere?host=\(folder)"],
        folder: URL(filePath: folder)
      ).ending()
      #expect(ending.exitCode == 1, "\(ending)")
      #expect(ending.errors.contains("descriptor 3 is not an open socket"), "\(ending)")
    }
  }

  private static func expectRefusal(
    count: Int, _ line: String
  ) async throws {
    try await withTemporaryFolder { folder in
      let listener = try RawListener(path: "\(folder)/socket")
      let ending = try await Program.mockupd.start(
        inheriting: listener, count: count, ["serve"],
        environment: ["MOCKUPD_DATABASE_URL": "postgresql:///nowhere?host=\(folder)"],
        folder: folder
      ).ending()
      #expect(ending.exitCode == 1)
      #expect(ending.output.isEmpty)
      #expect(ending.errorLines.count == 1)
      #expect(ending.errors.hasPrefix(line), "\(ending)")
    }
  }

  @Test func `sockets that were passed to another process are ignored`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer(settings: ["LISTEN_PID": "1", "LISTEN_FDS": "1"]) { server in
        #expect(throws: Never.self) { try RawPeer(path: server.socket) }
      }
    }
  }
}
