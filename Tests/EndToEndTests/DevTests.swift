import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

@testable import mockupd

/// `mockupd dev`, which makes, serves and removes a database of its own.
@Suite struct DevTests {
  /// Runs a closure with a running `mockupd dev` and the folder in which it makes its own.
  private static func withDev<Value>(
    _ body: (RunningProgram, _ parent: String) async throws -> Value
  ) async throws -> Value {
    try await withTemporaryFolder { parent in
      // PostgreSQL may run as another user.
      #expect(unsafe chmod(parent, 0o755) == 0)
      return try await withTemporaryFolder { outputs in
        let dev = try Program.mockupd.start(
          ["dev"], environment: ["TMPDIR": parent], folder: outputs)
        let result: Result<Value, any Error>
        do {
          result = .success(try await body(dev, parent))
        } catch {
          result = .failure(error)
        }
        dev.signal(SIGTERM)
        _ = await dev.ending()
        return try result.get()
      }
    }
  }

  /// Stops a `mockupd dev`, and expects that nothing of it is left.
  private static func expectRemoval(
    of dev: RunningProgram, _ parent: String, signal: Int32 = SIGTERM
  ) async throws {
    let postmaster = try #require(Self.postmaster(in: parent))
    dev.signal(signal)
    let ending = await dev.ending()
    #expect(ending.exitCode == 0, "\(ending)")
    #expect(names(in: parent) == [])
    #expect(!Self.isRunning(postmaster))
  }

  private static func names(in folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? ["unreadable"]
  }

  /// Returns the process id of the PostgreSQL of the only `mockupd dev`.
  private static func postmaster(in parent: String) -> pid_t? {
    guard let name = names(in: parent).first else { return nil }
    let file = "\(parent)/\(name)/postgres/data/postmaster.pid"
    let text = try? String(contentsOfFile: file, encoding: .utf8)
    return text?.split(separator: "\n").first.flatMap { pid_t($0) }
  }

  /// Returns false for a process that has ended, even if its parent has not noticed the end.
  private static func isRunning(_ process: pid_t) -> Bool {
    FileManager.default.contents(atPath: "/proc/\(process)/cmdline")?.isEmpty == false
  }

  @Test func `the printed commands work, the ledger is correct, and SIGTERM removes everything`()
    async throws
  {
    try await Self.withDev { dev, parent in
      try await eventually("the instructions are printed") {
        if let ending = dev.knownEnding { throw Program.Failure(description: "\(ending)") }
        return dev.output.contains("The database: ")
      }
      let lines = dev.output.split(separator: "\n").map(String.init)
      let first = try #require(lines.firstIndex { $0.hasPrefix("Try, ") })
      let last = try #require(lines.firstIndex { $0.hasPrefix("Any gRPC tool") })
      let commands = lines[(first + 1)..<last].filter { !$0.isEmpty }
      #expect(commands.count > 15)
      let shell = try await withTemporaryFolder { folder in
        try await RunningProgram(
          URL(filePath: "/bin/sh"), ["-euc", commands.joined(separator: "\n")], environment: [:],
          folder: URL(filePath: folder)
        ).ending()
      }
      #expect(shell.exitCode == 0, "\(shell)")
      for text in [
        "remaining_annual", "regeneration", "Credits reserved successfully.", "approved",
        "unresolved", "committed", "users_verified  4\n", "ttrpc_server_calls_total",
      ] {
        #expect(shell.output.contains(text), "\(text): \(shell)")
      }

      let quoted = try #require(lines.last { $0.hasPrefix("The database: ") })
      let url = try #require(quoted.split(separator: "'").dropFirst().first)
      let facts = try await PostgresConfiguration(
        url: String(url), applicationName: "mockupd-tests"
      ).withPool { pool in
        try await pool.query(
          """
          SELECT max(created_at) - min(created_at) > interval '350 days'
              AND max(created_at) < now() AND count(*) > 500
            AND (SELECT count(*) FROM mockupd.reservations
              WHERE state IN ('held', 'dispatched') AND expires_at > now()) > 3
            AND (SELECT count(*) FROM public.mockups WHERE status = 'pending') > 3
            AND (SELECT count(DISTINCT operation) FROM public.mockup_credit_usage) = 3
            AND NOT EXISTS (SELECT FROM mockupd.verify_counters())
          FROM public.mockup_credit_usage
          """
        ) { row throws(PostgresError) in try row.decode(Bool.self, at: 0) }
      }
      #expect(facts == [true])
      try await Self.expectRemoval(of: dev, parent)
    }
  }

  @Test(arguments: [SIGINT, SIGHUP])
  func `a signal during the preparation removes everything`(signal: Int32) async throws {
    try await Self.withDev { dev, parent in
      try await dev.waitForErrors("creating the schema")
      try await Self.expectRemoval(of: dev, parent, signal: signal)
      #expect(dev.output.isEmpty)
    }
  }

  @Test func `the next start removes what a killed one has left`() async throws {
    try await Self.withDev { dev, parent in
      try await dev.waitForErrors("creating the schema")
      let postmaster = try #require(Self.postmaster(in: parent))
      let left = try #require(Self.names(in: parent).first)
      dev.signal(SIGKILL)
      _ = await dev.ending()
      #expect(Self.names(in: parent) == [left])
      #expect(Self.isRunning(postmaster))

      try await withTemporaryFolder { outputs in
        let next = try Program.mockupd.start(
          ["dev"], environment: ["TMPDIR": parent], folder: outputs)
        try await next.waitForErrors("creating the schema")
        #expect(next.errors.contains("removing \(parent)/\(left), left by a killed"))
        #expect(!Self.isRunning(postmaster))
        #expect(!Self.names(in: parent).contains(left))
        try await Self.expectRemoval(of: next, parent)
      }
    }
  }

  @Test func `a folder in use is not taken for one that was left`() async throws {
    try await withTemporaryFolder { parent in
      let used = try DevelopmentFolder.create(in: parent)
      // A folder without a lock is not one of `mockupd dev`.
      try FileManager.default.createDirectory(
        atPath: "\(parent)/mockupd-dev-other", withIntermediateDirectories: false)
      #expect(DevelopmentFolder.abandoned(in: parent).isEmpty)
      try used.remove()
      #expect(Self.names(in: parent) == ["mockupd-dev-other"])
    }
  }

  @Test(.enabled(if: getuid() == 0, "PostgreSQL runs as another user only for root"))
  func `a start that fails says why and leaves nothing`() async throws {
    try await withTemporaryFolder { parent in
      #expect(unsafe chmod(parent, 0o700) == 0)
      let ending = try await Program.mockupd.run(["dev"], environment: ["TMPDIR": parent])
      #expect(ending.exitCode == 1, "\(ending)")
      #expect(ending.errors.contains("Permission denied"), "\(ending)")
      #expect(Self.names(in: parent) == [])
    }
  }

  @Test func `an invalid log level is refused before PostgreSQL starts`() async throws {
    try await withTemporaryFolder { parent in
      let ending = try await Program.mockupd.run(
        ["dev", "--log-level", "loud"], environment: ["TMPDIR": parent])
      #expect(ending.exitCode == 78, "\(ending)")
      #expect(ending.errors.contains("log.level"), "\(ending)")
      #expect(!ending.errors.contains("starting"), "\(ending)")
      #expect(Self.names(in: parent) == [])
    }
  }

  @Test func `a folder for temporary files with an unusable path is refused`() async throws {
    try await withTemporaryFolder { parent in
      let long = "\(parent)/" + String(repeating: "a", count: 80)
      let quoted = "\(parent)/it's"
      for path in [long, quoted] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let ending = try await Program.mockupd.run(["dev"], environment: ["TMPDIR": path])
        #expect(ending.exitCode == 64, "\(ending)")
        #expect(ending.errors.contains("set TMPDIR to another folder"), "\(ending)")
        #expect(Self.names(in: path) == [])
      }
    }
  }
}
