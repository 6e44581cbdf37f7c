import Foundation
import Logging
import MockupClient
import NIOConcurrencyHelpers
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

  /// A handler that keeps the lines.
  private struct Lines: LogHandler {
    let lines: NIOLockedValueBox<[(level: Logger.Level, line: String)]>
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0)=\($1)" }
      lines.withLockedValue { $0.append((event.level, "\(event.message)" + fields.joined())) }
    }
  }

  @Test func `an outage is logged at its beginning and its end, and seldom between`() {
    let lines = NIOLockedValueBox<[(level: Logger.Level, line: String)]>([])
    let time = NIOLockedValueBox(ContinuousClock.now)
    let log = ConnectionLog(
      Logger(label: "") { _ in Lines(lines: lines) }, now: { time.withLockedValue(\.self) })
    func warnings() -> [String] {
      let all = lines.withLockedValue { all in
        defer { all = [] }
        return all
      }
      return all.filter { $0.level >= .notice }.map(\.line)
    }
    let error = PostgresError(.connectionUnavailable, "no", detail: "refused")
    let pause = Duration.seconds(0.05554697759984246)

    log.report(.connected(throughPooler: false))
    #expect(warnings().isEmpty)
    log.report(.connectionLost(error, retryIn: pause))
    for _ in 0..<90 {
      log.report(.connectionFailed(error, retryIn: pause))
      time.withLockedValue { $0 += .milliseconds(100) }
    }
    #expect(
      warnings() == ["lost a connection to the database error=no: refused retry_in=56 ms"])
    time.withLockedValue { $0 += .seconds(2) }
    for _ in 0..<7 { log.report(.connectionFailed(error, retryIn: .milliseconds(1234))) }
    #expect(
      warnings() == [
        "cannot connect to the database error=no: refused failures_since_last_line=90 "
          + "retry_in=1.2 s"
      ])
    for _ in 0..<7 { log.report(.connected(throughPooler: false)) }
    #expect(warnings() == ["connected to the database again"])
    // Another outage at once is no reason for another line.
    log.report(.connectionFailed(error, retryIn: pause))
    log.report(.connected(throughPooler: true))
    #expect(warnings().isEmpty)
  }

  @Test(arguments: LogFormat.allCases)
  func `the error that ends the server is a line of the log`(format: LogFormat) async throws {
    try await MigratedDatabase.with { database in
      for level in ["info", "critical"] {
        let ending = try await Program.mockupd.run(
          [
            "serve", "--socket", "/nowhere/socket", "--log-format", format.rawValue, "--log-level",
            level,
          ], environment: ["MOCKUPD_DATABASE_URL": database.service.url])
        #expect(ending.exitCode == 1)
        let reason = "cannot listen on /nowhere/socket: bind: No such file or directory"
        #expect(ending.errorLines.filter { $0.contains(reason) }.count == 1, "\(ending)")
        let last = try #require(ending.errorLines.last)
        switch format {
        case .text: #expect(last.hasSuffix("Z error \(reason)"), "\(last)")
        case .journal:
          #expect(last == "<3>\(reason)")
          #expect(ending.errorLines.allSatisfy { $0.hasPrefix("<") }, "\(ending)")
        case .json:
          let objects = try ending.errorLines.map { line in
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
          }
          #expect(objects.last??["message"] as? String == reason)
          #expect(objects.last??["level"] as? String == "error")
        }
      }
    }
  }

  @Test func `an invalid setting is a line in the format that the settings have`() async throws {
    try await withTemporaryFolder { folder in
      func write(_ text: String) throws -> [String] {
        try text.write(toFile: "\(folder)/settings.json", atomically: true, encoding: .utf8)
        return ["serve", "--config", "\(folder)/settings.json"]
      }
      let url = ["MOCKUPD_DATABASE_URL": "postgresql:///x"]
      let journal = #""log": {"format": "journal"}"#
      let cases: [(arguments: [String], environment: [String: String], start: String)] = [
        (try write("{\(journal)}"), [:], "<3>database.url (MOCKUPD_DATABASE_URL) is not set"),
        (["serve"], ["MOCKUPD_LOG_FORMAT": "json"], "{\"level\":\"error\",\"message\":\"database"),
        (["serve", "--log-format", "journal"], [:], "<3>database.url"),
        (["serve", "--log-format", "syslog"], url, "Error: log.format"),
        (["serve"], [:], "Error: database.url"),
      ]
      for (arguments, environment, start) in cases {
        let ending = try await Program.mockupd.run(arguments, environment: environment)
        #expect(ending.exitCode == 78)
        #expect(ending.errorLines.count == 1, "\(ending)")
        #expect(ending.errors.hasPrefix(start), "\(ending)")
      }
      // The format is known although a key is not.
      let unknown = try await Program.mockupd.run(
        try write("{\(journal), \"lgo\": 1}"), environment: url)
      #expect(unknown.exitCode == 78)
      #expect(unknown.errors.hasPrefix("<3>\(folder)/settings.json: lgo"), "\(unknown)")
    }
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
