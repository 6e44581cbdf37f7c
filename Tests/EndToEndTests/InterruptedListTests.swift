import Foundation
import MockupClient
import TestSupport
import Testing

/// Lists and exports of `mockupctl` whose connection is lost before their end.
@Suite struct InterruptedListTests {
  /// A proxy that closes all connections after a number of responses.
  private struct CuttingProxy {
    let listener: RawListener
    let server: String

    func run(after count: Int) async {
      var left = count
      while let client = try? await listener.accept() {
        do {
          let onward = try RawPeer(path: server)
          while left > 0, let request = try await client.receiveFrame() {
            try await onward.send(request)
            // A call has one response, and an export several.
            repeat {
              guard let response = try await onward.receiveFrame() else { return }
              try await client.send(response)
              left -= 1
            } while left > 0 && request.firstRange(of: Array("Export".utf8)) != nil
          }
        } catch {
          continue
        }
      }
    }
  }

  /// Runs a command over a connection that is closed after a number of responses.
  private static func mockupctl(
    _ arguments: [String], cutAfter count: Int, _ server: RunningServer
  ) async throws -> Program.Ending {
    try await withTemporaryFolder { folder in
      let proxy = CuttingProxy(
        listener: try RawListener(path: "\(folder)/proxy"), server: server.socket)
      async let running: Void = proxy.run(after: count)
      let ending = try await Program.mockupctl.run(arguments + ["--socket", "\(folder)/proxy"])
      proxy.listener.stop()
      await running
      return ending
    }
  }

  private static func mockupctl(
    _ arguments: [String], _ server: RunningServer
  ) async throws -> Program.Ending {
    try await Program.mockupctl.run(arguments + ["--socket", server.socket])
  }

  /// Returns the sequence numbers of the entries in an output.
  private static func sequences(_ output: String, _ format: String) throws -> [Int] {
    func number(_ object: Any) throws -> Int {
      try #require((object as? [String: Any])?["sequence"] as? Int)
    }
    switch format {
    case "json":
      let list = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [Any]
      return try #require(list).map(number)
    case "jsonl":
      return try output.split(separator: "\n").map {
        try number(JSONSerialization.jsonObject(with: Data($0.utf8)))
      }
    case "csv":
      // The columns are the year, the month, the sequence and others.
      return try output.split(separator: "\r\n").dropFirst().map {
        try #require(Int($0.split(separator: ",")[2]))
      }
    default:
      return try output.split(separator: "\n").dropFirst().map {
        try #require(Int($0.split(separator: " ")[0]))
      }
    }
  }

  private static func withLedger(
    of count: Int, _ body: (String, RunningServer) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser().wireText
      try await database.owner.run(
        """
        INSERT INTO mockup_credit_usage (user_id, credits, operation, balance_before,
          balance_after, year, month, sequence)
        SELECT '\(user)', 1, 'generation', 0, 0, 2026, 1, n FROM generate_series(1, \(count)) AS n
        """)
      try await database.withServer { server in try await body(user, server) }
    }
  }

  @Test func `an export and its continuation have each entry once, in every format`() async throws {
    try await Self.withLedger(of: 1600) { user, server in
      for format in ["table", "json", "jsonl", "csv"] {
        let export = ["ledger", "export", user, "--output", format]
        let cut = try await Self.mockupctl(export, cutAfter: 2, server)
        #expect(cut.exitCode == 69, "\(format) \(cut.errors)")
        let words = cut.errorLines.last?.split(separator: " ").suffix(4).map(String.init) ?? []
        #expect(words.dropLast() == ["continue", "with", "--after"], "\(format) \(cut.errors)")
        let token = try #require(words.last)
        let rest = try await Self.mockupctl(export + ["--after", token], server)
        #expect(rest.exitCode == 0, "\(format) \(rest.errors)")
        let first = try Self.sequences(cut.output, format)
        #expect(first.count == 1000, "\(format)")
        let continued = format == "csv" ? "header\r\n" + rest.output : rest.output
        let all = first + (try Self.sequences(continued, format))
        #expect(all == Array(1...1600), "\(format)")
        guard format == "csv" || format == "jsonl" else { continue }
        let whole = try await Self.mockupctl(export, server).output
        #expect(cut.output + rest.output == whole, "\(format)")
      }
    }
  }

  @Test func `an export that fails before its first entry writes nothing`() async throws {
    try await Self.withLedger(of: 1) { user, server in
      for format in ["table", "json", "jsonl", "csv"] {
        let cut = try await Self.mockupctl(
          ["ledger", "export", user, "--output", format], cutAfter: 0, server)
        #expect(cut.exitCode == 69 && cut.output.isEmpty, "\(format) \(cut)")
        #expect(!cut.errors.contains("--after"), "\(format) \(cut)")
      }
    }
  }

  @Test func `an export whose output failed offers no token`() async throws {
    try await Self.withLedger(of: 1600) { user, server in
      let export = ["ledger", "export", user]
      let cut = try await Self.mockupctl(export, cutAfter: 1, server)
      let token = try #require(cut.errors.split(whereSeparator: \.isWhitespace).last)
      let full = try await Program.mockupctl.run(
        ">/dev/full", export + ["--after", String(token)],
        environment: ["MOCKUPD_SOCKET_PATH": server.socket])
      #expect(full.exitCode == 74)
      #expect(!full.errors.contains("--after"), "\(full)")
    }
  }

  @Test(arguments: ["table", "json", "jsonl", "csv"])
  func `a list that fails has the records before the failure`(_ format: String) async throws {
    try await Self.withLedger(of: 1600) { user, server in
      let cut = try await Self.mockupctl(
        ["ledger", "show", user, "--limit", "0", "--output", format], cutAfter: 1, server)
      #expect(cut.exitCode == 69, "\(cut.errors)")
      let listed = try Self.sequences(cut.output, format)
      #expect(!listed.isEmpty && listed.count < 1600)
      #expect(listed == Array((1...1600).reversed().prefix(listed.count)))
    }
  }

  @Test func `a list that the default limit cuts says so`() async throws {
    try await Self.withLedger(of: 51) { user, server in
      let note = "mockupctl: only the first 50 are listed; --limit 0 lists all\n"
      for (options, count, errors) in [
        ([], 50, note), (["--limit", "0"], 51, ""), (["--limit", "50"], 50, ""),
        (["--limit", "1"], 1, ""),
      ] {
        for format in ["table", "jsonl"] {
          let ending = try await Self.mockupctl(
            ["ledger", "show", user, "--output", format] + options, server)
          let listed = try Self.sequences(ending.output, format)
          #expect(listed.count == count, "\(options)")
          #expect(ending.errors == errors && ending.exitCode == 0, "\(options)")
        }
      }
    }
    try await Self.withLedger(of: 50) { user, server in
      let whole = try await Self.mockupctl(["ledger", "show", user], server)
      #expect(whole.errors.isEmpty, "\(whole)")
    }
  }
}
