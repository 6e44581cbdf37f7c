import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// The socket file: its permissions, and paths where it cannot be created.
@Suite struct SocketFileTests {
  /// Starts a server at a path where it cannot listen, and returns how it ended.
  private static func serve(
    at socket: String, on database: MigratedDatabase
  ) async throws -> Program.Ending {
    try await Program.mockupd.run(
      ["serve", "--socket", socket, "--log-level", "critical"],
      environment: ["MOCKUPD_DATABASE_URL": database.service.url])
  }

  @Test func `a second server on the same socket is refused and the first keeps running`()
    async throws
  {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        let ending = try await Self.serve(at: server.socket, on: database)
        #expect(ending.exitCode == 1)
        #expect(ending.output.isEmpty)
        #expect(ending.errorLines.count == 1)
        #expect(
          ending.errors.hasSuffix(
            " error cannot listen on \(server.socket): another server is already listening\n"),
          "\(ending)")
        _ = try RawPeer(path: server.socket)
      }
    }
  }

  @Test func `the socket of a killed server is replaced`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let first = try await RunningServer.start(on: database.service, folder: folder)
        #expect(await first.stop(by: SIGKILL).exitCode == nil)
        #expect(FileManager.default.fileExists(atPath: first.socket))
        let second = try await RunningServer.start(on: database.service, folder: folder)
        _ = try RawPeer(path: second.socket)
        #expect(await second.stop().exitCode == 0)
        #expect(!FileManager.default.fileExists(atPath: first.socket))
      }
    }
  }

  @Test func `a file that is not a socket is refused and kept`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let path = "\(folder)/notes"
        try "mine".write(toFile: path, atomically: true, encoding: .utf8)
        let ending = try await Self.serve(at: path, on: database)
        #expect(ending.exitCode == 1)
        #expect(ending.errorLines.count == 1)
        #expect(
          ending.errors.hasSuffix(
            " error cannot listen on \(path): the file exists and is not a socket\n"), "\(ending)")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
      }
    }
  }

  @Test func `a path of 107 bytes is accepted and a longer one is refused`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let longest = folder + "/" + String(repeating: "s", count: 106 - folder.utf8.count)
        let server = try await RunningServer.start(
          on: database.service, socket: longest, folder: folder)
        _ = try RawPeer(path: longest)
        #expect(await server.stop().exitCode == 0)

        let ending = try await Self.serve(at: longest + "s", on: database)
        #expect(ending.exitCode == 78)
        #expect(ending.errorLines.count == 1)
        #expect(ending.errors.contains("longer than 107 bytes"), "\(ending)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
      }
    }
  }

  @Test func `a missing folder is reported with the path`() async throws {
    try await MigratedDatabase.with { database in
      let ending = try await Self.serve(at: "/nowhere/socket", on: database)
      #expect(ending.exitCode == 1)
      #expect(ending.errorLines.count == 1)
      #expect(
        ending.errors.hasSuffix(
          " error cannot listen on /nowhere/socket: bind: No such file or directory\n"),
        "\(ending)")
    }
  }

  @Test func `the socket has the configured mode and group`() async throws {
    // Only root may give a file to a group that it is not in.
    let group = geteuid() == 0 ? 1 : getegid()
    try await MigratedDatabase.with { database in
      for (mode, permissions) in [(nil, 0o660), ("0600", 0o600), ("666", 0o666)] {
        var arguments = ["--socket-group", "\(group)"]
        if let mode { arguments += ["--socket-mode", mode] }
        try await database.withServer(arguments: arguments) { server in
          let attributes = try FileManager.default.attributesOfItem(atPath: server.socket)
          #expect(attributes[.posixPermissions] as? Int == permissions)
          #expect(attributes[.groupOwnerAccountID] as? Int == Int(group))
        }
      }
    }
  }
}
