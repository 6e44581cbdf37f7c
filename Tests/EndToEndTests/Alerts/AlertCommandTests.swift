import Foundation
import Glibc
import MockupClient
import TestSupport
import Testing

/// `mockupctl alerts`, and invalid requests for alerts.
@Suite struct AlertCommandTests {
  private static func reserve(_ credits: Int, for user: UUID, at socket: String) async throws {
    try await MockupClient.withConnection(to: .unixSocket(path: socket)) { client in
      _ = try await client.credits.reserve(for: user, credits: credits)
    }
  }

  private static func lines(_ path: String) -> [String] {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  private static func ids(_ lines: [String]) throws -> [Int] {
    try lines.map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(object?["alert_id"] as? Int, "\(line)")
    }
  }

  @Test func `alerts are listed, and filtered by user`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10, monthlySoftLimit: 5)
      try await database.owner.run(
        "UPDATE auth.users SET email = 'ann@x.test' WHERE id = '\(user)'")
      let other = try await database.makeUser(annualBudget: 100, monthlySoftLimit: 100)
      try await database.withServer { server in
        let mockupctl = { (arguments: [String]) async throws in
          try await Program.mockupctl.run(
            ["alerts"] + arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket])
        }
        #expect(try await mockupctl([]).output == "none\n")
        try await Self.reserve(4, for: user, at: server.socket)
        try await Self.reserve(80, for: other, at: server.socket)
        let table = try await mockupctl(["list"]).output
        #expect(table.contains("ann@x.test"))
        #expect(table.contains("80 % of "))
        let list = try await mockupctl(["list", "ann@x.test", "--output", "jsonl"])
        let listed = list.output.split(separator: "\n").map(String.init)
        #expect(try Self.ids(listed) == [2, 1])
        #expect(listed[1].contains(#""kind":"month""#), "\(listed)")
        #expect(listed[1].contains(#""threshold":50"#), "\(listed)")
        #expect(listed[1].contains(#""credits":4,"limit":5"#), "\(listed)")
        #expect(
          try await mockupctl(["list", "--limit", "3", "--output", "jsonl"])
            .output.split(separator: "\n").count == 3)
        #expect(try await mockupctl(["list", UUID().wireText]).exitCode == 3)
        for arguments in [
          ["watch", "--output", "csv"], ["watch", "--after", "a", "--state", "b"],
        ] {
          #expect(try await mockupctl(arguments).exitCode == 64, "\(arguments)")
        }
        for token in [
          "a", Data("alertWatch//-1".utf8).base64EncodedString(),
          Data("alertWatch//99".utf8).base64EncodedString(),
        ] {
          #expect(try await mockupctl(["watch", "--after", token]).exitCode == 64, "\(token)")
        }
      }
    }
  }

  @Test func `a watch runs its command for each alert once, also after restarts`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 100, monthlySoftLimit: 1_000_000)
      try await withTemporaryFolder { folder in
        let (state, out) = ("\(folder)/state", "\(folder)/out")
        var server = try await RunningServer.start(on: database.service, folder: folder)
        let socket = server.socket
        func watch(_ command: String) throws -> RunningProgram {
          try Program.mockupctl.start(
            ["alerts", "watch", "--socket", socket, "--state", state, "--exec", command],
            folder: folder)
        }
        let append = "cat >> '\(out)'"
        var watcher = try watch(append)
        try await eventually("the watch has begun") {
          FileManager.default.fileExists(atPath: state)
        }
        try await Self.reserve(50, for: user, at: socket)
        try await eventually("the first alert was delivered") { Self.lines(out).count == 1 }

        // The server restarts while the watch runs.
        _ = await server.stop(by: SIGKILL)
        server = try await RunningServer.start(on: database.service, folder: folder)
        try await Self.reserve(30, for: user, at: socket)
        try await eventually("the second alert was delivered") { Self.lines(out).count == 2 }
        // The token is stored after the command has ended.
        let second = Data("alertWatch//2".utf8).base64EncodedString()
        try await eventually("the second token was stored") { Self.lines(state) == [second] }

        // Alerts that are written while no watch runs are delivered by the next one.
        watcher.signal(SIGKILL)
        _ = await watcher.ending()
        try await Self.reserve(10, for: user, at: socket)
        try await Self.reserve(10, for: user, at: socket)

        // A command that fails ends the watch, and its alert is delivered again.
        watcher = try watch("cat > /dev/null; exit 3")
        let failed = await watcher.ending()
        #expect(failed.exitCode == 1)
        #expect(failed.errors == "mockupctl: the command for alert 3 exited with code 3\n")
        #expect(Self.lines(state) == [second])
        watcher = try watch("kill -9 $$")
        #expect(await watcher.ending().errors.hasSuffix("alert 3 exited with code 137\n"))
        watcher = try watch("head -c 0; \(append)")
        try await eventually("all alerts were delivered") { Self.lines(out).count == 4 }
        watcher.signal(SIGKILL)
        _ = await watcher.ending()
        #expect(try Self.ids(Self.lines(out)) == [1, 2, 3, 4])
        #expect(Self.lines(out)[3].contains(#""resume_token":""#))
        #expect(await server.stop().exitCode == 0)

        try "\n".write(toFile: state, atomically: true, encoding: .utf8)
        let empty = try await Program.mockupctl.run(["alerts", "watch", "--state", state])
        #expect(empty.exitCode == 64)
        let missing = try await Program.mockupctl.run(["alerts", "watch", "--state", "/nowhere/f"])
        #expect(missing.exitCode != 0)
      }
    }
  }

  @Test func `a watch prints the alerts that follow a token`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 100, monthlySoftLimit: 1_000_000)
      try await database.withServer { server in
        try await Self.reserve(85, for: user, at: server.socket)
        try await withTemporaryFolder { folder in
          let first = Data("alertWatch//1".utf8).base64EncodedString()
          let watcher = try Program.mockupctl.start(
            ["alerts", "watch", "--socket", server.socket, "--after", first, "--output", "jsonl"],
            folder: folder)
          try await eventually("the second alert is printed") {
            watcher.output.split(separator: "\n").count == 2
          }
          watcher.signal(SIGTERM)
          let lines = await watcher.ending().output.split(separator: "\n").map(String.init)
          // The first line only says where the watch begins.
          #expect(lines[0] == #"{"resume_token":"\#(first)"}"#)
          #expect(try Self.ids([lines[1]]) == [2])
        }
      }
    }
  }

  /// Runs a sample command of the Debian package with an alert on its standard input.
  private static func runSample(
    _ name: String, _ alert: String, environment: [String: String]
  ) async throws -> Program.Ending {
    let package = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
    let sample = package.appending(path: "scripts/debian/examples/\(name)").path
    return try await withTemporaryFolder { folder in
      let input = Pipe()
      try input.fileHandleForWriting.write(contentsOf: Data(alert.utf8))
      try input.fileHandleForWriting.close()
      return try await RunningProgram(
        URL(filePath: "/bin/sh"), [sample], environment: environment, folder: URL(filePath: folder),
        input: input.fileHandleForReading
      ).ending()
    }
  }

  private static let alert = #"""
    {"alert_id":7,"created_at":"2026-03-01T10:00:00Z","user_id":"u","kind":"month","year":2026,\#
    "user_label":"ann\nBcc: all@x.test","threshold":80,"month":3,"credits":8,"limit":10}

    """#

  @Test func `the sample command mails an alert with one line for each header`() async throws {
    try await withTemporaryFolder { folder in
      let sendmail = "\(folder)/sendmail"
      try "#!/bin/sh\necho \"$@\"\ncat\n".write(
        toFile: sendmail, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: sendmail)
      let mail = try await Self.runSample(
        "alert-mail", Self.alert, environment: ["ALERT_MAIL_TO": "root", "SENDMAIL": sendmail])
      #expect(mail.exitCode == 0, "\(mail)")
      #expect(
        mail.output == """
          -t
          To: root
          Subject: ann Bcc: all@x.test has reached 80 % of the soft limit of 2026-3
          Content-Type: text/plain; charset=utf-8

          ann Bcc: all@x.test (u) has used or holds 8 of 10 credits (2026-03-01T10:00:00Z).

          """)
      let broken = try await Self.runSample(
        "alert-mail", "{", environment: ["ALERT_MAIL_TO": "root", "SENDMAIL": "/bin/false"])
      #expect(broken.exitCode != 0)
    }
  }

  @Test func `the sample command posts an alert, and fails if the post fails`() async throws {
    try await withTemporaryFolder { folder in
      let server = """
        import http.server
        class Handler(http.server.BaseHTTPRequestHandler):
          def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            print(self.headers["Content-Type"], body, end="", flush=True)
            self.send_response(204 if self.path == "/good" else 500)
            self.end_headers()
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_port, flush=True)
        server.serve_forever()
        """
      let listener = try RunningProgram(
        URL(filePath: "/usr/bin/python3"), ["-c", server], environment: [:],
        folder: URL(filePath: folder))
      try await eventually("the listener is ready") { listener.output.hasSuffix("\n") }
      let port = listener.output.trimmingCharacters(in: .newlines)
      for (path, succeeds) in [("good", true), ("bad", false)] {
        let ending = try await Self.runSample(
          "alert-webhook", Self.alert,
          environment: ["ALERT_WEBHOOK_URL": "http://127.0.0.1:\(port)/\(path)"])
        #expect((ending.exitCode == 0) == succeeds, "\(ending)")
      }
      listener.signal(SIGKILL)
      #expect(
        await listener.ending().output
          == "\(port)\n" + String(repeating: "application/json \(Self.alert)", count: 2))
    }
  }
}
