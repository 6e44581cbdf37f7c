import Foundation
import Logging
import MockupClient
import Postgres
import TestSupport
import Testing

@testable import mockupd

/// The format of log lines, and log output that is blocked or closed.
@Suite struct LogTests {
  @Test func `a value cannot forge a line of the text log`() {
    let time = Date(timeIntervalSince1970: 1_795_905_818.625)
    #expect(
      LogFormat.text.line(
        time, .notice, "call",
        [
          "method": "x\n2026-11-28T22:43:38.625Z error forged \u{1b}[2J",
          "peer": "uid 5", "plain": "a/b", "empty": "", "quote": "a=\"b\\",
          "bidi": "\u{202e}\u{85}",
        ])
        == #"2026-11-28T22:43:38.625Z notice call bidi=\u{202e}\u{85} empty="" "#
        + #"method="x\n2026-11-28T22:43:38.625Z error forged \u{1b}[2J" peer="uid 5" plain=a/b "#
        + #"quote="a=\"b\\""#)
  }

  @Test func `a line of the JSON log has the date and escapes invisible characters`() throws {
    let line = LogFormat.json.line(
      Date(timeIntervalSince1970: 1_795_905_818.625), .error, "a\nb",
      ["method": "\u{85}\u{2028}\u{202e}\u{7f}", "time": "forged", "level": "forged"])
    #expect(
      line == #"{"level":"error","message":"a\nb","method":"\u0085\u2028\u202e\u007f","#
        + #""time":"2026-11-28T22:43:38.625Z"}"#)
  }

  @Test(arguments: [
    (Logger.Level.critical, 2), (.error, 3), (.warning, 4), (.notice, 5), (.info, 6), (.debug, 7),
    (.trace, 7),
  ])
  func `a line for the journal begins with its priority and has no time`(
    level: Logger.Level, priority: Int
  ) {
    #expect(
      LogFormat.journal.line(.now, level, "a\n<0>b", ["peer": "uid 5"])
        == #"<\#(priority)>a\n<0>b peer="uid 5""#)
  }

  @Test func `a very long value is truncated`() {
    let line = LogFormat.text.line(.now, .info, "m", ["v": String(repeating: "é", count: 100_000)])
    #expect(line.utf8.count < LogFormat.maxValueBytes + 200)
    #expect(line.contains("… (200000 bytes)"))
  }

  private static let verbose = ["MOCKUPD_LOG_LEVEL": "info", "MOCKUPD_LOG_CALL_LEVEL": "info"]

  /// Makes calls, each of which writes a log line.
  private static func call(
    _ count: Int, _ database: MigratedDatabase, _ server: RunningServer
  ) async throws {
    let user = try await database.makeUser()
    try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<16 {
          group.addTask {
            for _ in 0..<(count / 16) { _ = try await client.credits.usage(of: user) }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `a log without a reader delays neither calls nor the shutdown`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let pipe = Pipe()
        let server = try await RunningServer.start(
          on: database.service, settings: Self.verbose, errors: pipe.fileHandleForWriting,
          folder: folder)
        // Many times the capacity of a pipe.
        try await Self.call(4800, database, server)
        let ending = await server.stop()
        #expect(ending.exitCode == 0)
        try pipe.fileHandleForReading.close()
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `a late reader is told the number of lost lines`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let pipe = Pipe()
        let server = try await RunningServer.start(
          on: database.service, settings: Self.verbose, errors: pipe.fileHandleForWriting,
          folder: folder)
        try pipe.fileHandleForWriting.close()
        // More than the pipe and the writer's buffer hold: a line has more than 100 bytes.
        try await Self.call(16_000, database, server)
        let reading = Task.detached {
          String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        }
        let ending = await server.stop()
        #expect(ending.exitCode == 0)
        let lines = try await reading.value.split(separator: "\n")
        let notices = lines.filter { $0.contains("log lines were lost") }
        let lost = notices.compactMap { $0.split(separator: "lines=").last.flatMap { Int($0) } }
        let calls = lines.count { $0.contains("GetCreditUsage") }
        #expect(notices.count > 0)
        #expect(lost.reduce(0, +) + calls >= 16_000)
        #expect(lines.last?.contains("stopped") == true, "\(lines.suffix(3))")
      }
    }
  }

  @Test(arguments: ["2>&-", ">&- 2>&-", "2>/dev/full"])
  func `a server without a usable standard error answers calls`(_ redirection: String) async throws
  {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let socket = "\(folder)/socket"
        let process = try Program.mockupd.start(
          redirection, ["serve", "--socket", socket],
          environment: Self.verbose.merging(["MOCKUPD_DATABASE_URL": database.service.url]) { $1 },
          folder: folder)
        let server = RunningServer(socket: socket, process: process)
        var configuration = MockupClient.Configuration()
        configuration.retry.attempts = 1000
        let user = try await database.makeUser()
        try await MockupClient.withConnection(
          to: .unixSocket(path: socket), configuration: configuration
        ) { client in
          _ = try await client.credits.usage(of: user)
        }
        try await Self.call(160, database, server)
        #expect(await server.stop().exitCode == 0)
      }
    }
  }

  @Test func `a server with a closed log pipe answers calls`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let server = try await RunningServer.start(
          on: database.service, settings: Self.verbose, errors: pipe.fileHandleForWriting,
          folder: folder)
        try await Self.call(160, database, server)
        #expect(await server.stop().exitCode == 0)
      }
    }
  }
}
