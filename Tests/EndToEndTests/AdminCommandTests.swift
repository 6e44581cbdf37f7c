import Foundation
import MockupClient
import TestSupport
import Testing

/// The commands for administrators that concern all users, users by label, and trials.
@Suite struct AdminCommandTests {
  private struct Fixture: Sendable {
    let database: MigratedDatabase
    let server: RunningServer

    func mockupctl(
      _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Program.Ending {
      try await Program.mockupctl.run(
        arguments,
        environment: environment.merging(["MOCKUPD_SOCKET_PATH": server.socket]) { $1 })
    }

    /// Runs a command with a terminal as its output and errors.
    func onTerminal(
      _ arguments: String, columns: Int, environment: [String: String] = [:],
      exitCode: Int32 = 0
    ) async throws -> String {
      try await withTemporaryFolder { folder in
        let command = "stty cols \(columns); exec \(Program.mockupctl.executable.path) \(arguments)"
        let ending = try await RunningProgram(
          URL(filePath: "/usr/bin/script"), ["-qec", command, "/dev/null"],
          environment: environment.merging(
            ["MOCKUPD_SOCKET_PATH": server.socket, "TERM": "xterm", "SHELL": "/bin/sh"]) { $1 },
          folder: URL(filePath: folder)
        ).ending()
        #expect(ending.exitCode == exitCode, "\(ending)")
        return ending.output.replacing("\r\n", with: "\n")
      }
    }

    func objects(_ arguments: [String]) async throws -> [[String: Any]] {
      let ending = try await mockupctl(arguments + ["--output", "json"])
      return try #require(
        JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [[String: Any]],
        "\(ending)")
    }

    func user(_ email: String) async throws -> String {
      let user = try await database.makeUser(annualBudget: 100).wireText
      try await database.owner.run(
        "UPDATE auth.users SET email = '\(email)' WHERE id = '\(user)'")
      return user
    }

    /// Makes a reservation that is dispatched and has expired.
    func unresolved(of user: String, credits: Int) async throws -> String {
      let id = UUID().wireText
      _ = try await mockupctl(["reserve", user, "\(credits)", "--id", id])
      _ = try await mockupctl(["dispatch", user, id])
      try await database.expireReservations(id)
      return id
    }
  }

  private static func with(_ body: (Fixture) async throws -> Void) async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        try await body(Fixture(database: database, server: server))
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }

  @Test func `stuck lists all unresolved reservations, and its commands resolve them`()
    async throws
  {
    try await Self.with { fixture in
      #expect(try await fixture.mockupctl(["stuck"]).output == "none\n")
      let header = try await fixture.mockupctl(["stuck", "--output", "csv"]).output
      #expect(header.hasPrefix("unresolved_since,held,user_id,user_label,reservation_id,"))
      #expect(header.hasSuffix(",resolve_command\r\n"))

      let (ann, bob) = (try await fixture.user("ann@x.test"), try await fixture.user("bob@x.test"))
      let first = try await fixture.unresolved(of: bob, credits: 3)
      let second = try await fixture.unresolved(of: ann, credits: 2)
      let listed = try await fixture.objects(["stuck"])
      #expect(listed.map { $0["reservation_id"] as? String } == [first, second])
      #expect(listed.map { $0["user_label"] as? String } == ["bob@x.test", "ann@x.test"])
      #expect(listed.map { $0["held"] as? Int } == [3, 2])
      #expect(try await fixture.objects(["stuck", "--limit", "1"]).count == 1)

      let table = try await fixture.mockupctl(["stuck"]).output
      let commands = table.split(separator: "\n").filter { $0.hasPrefix("  mockupctl ") }
      #expect(commands.count == 2, "\(table)")
      for command in commands {
        let words = command.split(separator: " ").dropFirst().map(String.init)
        // As printed, a command is refused, since nobody has said what the vendor charged.
        #expect(try await fixture.mockupctl(words).exitCode == 64)
        #expect(try await fixture.mockupctl(words.dropLast() + ["1"]).exitCode == 0)
      }
      #expect(try await fixture.mockupctl(["stuck"]).output == "none\n")
    }
  }

  @Test func `a user is named by a label, which must be unique`() async throws {
    try await Self.with { fixture in
      let ann = try await fixture.user("ann@x.test")
      _ = try await fixture.mockupctl(["reserve", ann, "7"])
      let mockups = try await fixture.database.makeMockups(
        1, of: try #require(UUID(uuidString: ann)))
      let template = try await fixture.database.texts(
        "SELECT id::text FROM public.mockup_scene_templates WHERE is_system ORDER BY id LIMIT 1")
      for arguments in [
        ["usage", ann], ["ledger", "show", ann], ["ledger", "export", ann],
        ["ledger", "verify", ann], ["reservations", "list", ann], ["mockups", "list", ann],
        ["mockups", "show", ann, mockups[0].wireText], ["scenes", "list", ann],
        ["scenes", "resolve", ann, "bedroom"], ["scenes", "show", template[0], "--user", ann],
        ["budget", ann], ["usage", "--by-month", ann], ["usage-history", ann],
      ] {
        let byID = try await fixture.mockupctl(arguments)
        let byLabel = try await fixture.mockupctl(arguments.map { $0 == ann ? "ann@x.test" : $0 })
        #expect(byID.exitCode == 0, "\(arguments) \(byID)")
        #expect(byLabel.output == byID.output, "\(arguments) \(byLabel)")
      }
      let unknown = try await fixture.mockupctl(["usage", "nobody@x.test"])
      #expect(unknown.exitCode == 3)
      #expect(unknown.errors == "mockupctl: no user has the id or the label \"nobody@x.test\"\n")

      try await fixture.database.owner.run(
        """
        CREATE OR REPLACE FUNCTION mockupd.user_label(p_user_id uuid) RETURNS text
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $$ SELECT 'twin' $$
        """)
      let bob = try await fixture.user("bob@x.test")
      let ambiguous = try await fixture.mockupctl(["usage", "twin"])
      #expect(ambiguous.exitCode == 64)
      #expect(
        ambiguous.errorLines == [
          "mockupctl: several users have the label \"twin\"; give the id of one:"
        ] + [ann, bob].sorted().map { "  \($0)" })
    }
  }

  /// Splits each line into words, since the columns of two records have different widths.
  private static func values(_ ending: Program.Ending) -> [[Substring]] {
    ending.output.split(separator: "\n").map { $0.split(separator: " ") }
  }

  @Test func `a dry run prints the result and changes nothing`() async throws {
    try await Self.with { fixture in
      let user = try await fixture.user("ann@x.test")
      let id = try await fixture.unresolved(of: user, credits: 3)
      let usage = try await fixture.mockupctl(["usage", user]).output
      for arguments in [
        ["budget", user, "--annual", "50"],
        ["reservations", "resolve", user, id, "--credits", "2"],
      ] {
        let trial = try await fixture.mockupctl(arguments + ["--dry-run"])
        #expect(trial.exitCode == 0, "\(trial)")
        #expect(try await fixture.mockupctl(["usage", user]).output == usage)
        let real = try await fixture.mockupctl(arguments)
        #expect(trial.output.split(separator: "\n").last?.contains("dry_run") == true)
        #expect(Self.values(trial).dropLast() == Self.values(real)[...], "\(trial) \(real)")
        #expect(try await fixture.mockupctl(["usage", user]).output != usage)
        _ = try await fixture.mockupctl(["budget", user, "--annual", "100"])
      }
      let nothing = try await fixture.mockupctl(["budget", user, "--dry-run"])
      #expect(nothing.exitCode == 64)
      let excessive = try await fixture.mockupctl(
        ["reservations", "resolve", user, id, "--credits", "9", "--dry-run"])
      #expect(excessive.exitCode == 1)
    }
  }

  @Test func `the ledgers of a month are exported, and continued after a failure`() async throws {
    try await Self.with { fixture in
      let users = [try await fixture.user("ann@x.test"), try await fixture.user("bob@x.test")]
      // More entries than a message has, so that the export has several tokens.
      for user in users {
        try await fixture.database.owner.run(
          """
          INSERT INTO mockup_credit_usage (user_id, credits, operation, balance_before,
            balance_after, year, month, sequence)
          SELECT '\(user)', 1, 'generation', 0, 0, 2026, 2 + n % 2, n
          FROM generate_series(1, 1600) AS n
          """)
      }
      let export = ["ledger", "export", "--all", "--month", "2026-03"]
      let whole = try await fixture.mockupctl(export)
      let lines = whole.output.split(separator: "\r\n")
      #expect(lines.count == 1 + 2 * 800)
      #expect(lines[0].hasPrefix("user_id,year,month,sequence,"))
      let owners = lines.dropFirst().compactMap { $0.split(separator: ",").first.map(String.init) }
      #expect(owners == users.sorted().flatMap { Array(repeating: $0, count: 800) })
      #expect(lines.dropFirst().allSatisfy { $0.contains(",2026,3,") })

      // The reader takes the first message and then leaves.
      var token = ""
      try await MockupClient.withConnection(to: .unixSocket(path: fixture.server.socket)) {
        client in
        struct Enough: Error {}
        await #expect(throws: Enough.self) {
          try await client.admin.export(year: 2026, month: 3) { chunk in
            token = chunk.resumeToken
            throw Enough()
          }
        }
      }
      let rest = try await fixture.mockupctl(export + ["--after", token])
      #expect(rest.output.split(separator: "\r\n") == Array(lines.dropFirst(501)), "\(rest.errors)")

      // The token of the last message that was written is in the error.
      let failed = try await fixture.mockupctl(
        export + ["--after", token, "--socket", "/nowhere/socket"])
      #expect(failed.exitCode == 69)
      #expect(failed.errors.hasSuffix("; continue with --after \(token)\n"), "\(failed)")

      let one = try await fixture.mockupctl(
        ["ledger", "export", users[0], "--month", "2026-02", "--output", "jsonl"])
      #expect(one.output.split(separator: "\n").count == 800)
      for arguments in [
        ["ledger", "export"], ["ledger", "export", users[0], "--all"],
        ["ledger", "export", "--all", "--month", "3"],
        ["ledger", "export", "--all", "--month", "2026-03", "--year", "2026"],
      ] {
        #expect(try await fixture.mockupctl(arguments).exitCode == 64, "\(arguments)")
      }
      let wrong = try await fixture.mockupctl(["ledger", "export", "--all", "--after", "x"])
      #expect(wrong.exitCode == 64)
      try await fixture.database.owner.run("DELETE FROM mockup_credit_usage")
    }
  }

  @Test func `each list is printed in every format with the same records`() async throws {
    try await Self.with { fixture in
      let user = try await fixture.user("ann@x.test")
      let id = UUID().wireText
      _ = try await fixture.mockupctl(["reserve", user, "2", "--id", id])
      _ = try await fixture.mockupctl(["commit", user, id])
      _ = try await fixture.unresolved(of: user, credits: 60)
      _ = try await fixture.database.makeMockups(2, of: try #require(UUID(uuidString: user)))
      for (arguments, count) in [
        (["reservations", "list", user], 2), (["ledger", "show", user], 1),
        (["ledger", "export", user], 1), (["ledger", "export", "--all"], 1),
        (["mockups", "list", user], 2), (["scenes", "list"], 5), (["stuck"], 1),
        (["usage", "--by-month"], 12), (["usage", user, "--by-month"], 12),
        (["usage-history", user, "--from", "2026-01-01", "--through", "2026-02-28"], 2),
        (["alerts", "list"], 1),
      ] {
        let json = try await fixture.objects(arguments)
        #expect(json.count == count, "\(arguments)")
        let lines = try await fixture.mockupctl(arguments + ["--output", "jsonl"]).output
          .split(separator: "\n")
        #expect(lines.count == count, "\(arguments)")
        for (line, object) in zip(lines, json) {
          let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? NSDictionary
          #expect(parsed == object as NSDictionary, "\(arguments)")
        }
        let csv = try await fixture.mockupctl(arguments + ["--output", "csv"]).output
        #expect(csv.hasSuffix("\r\n"), "\(arguments)")
        let records = csv.split(separator: "\r\n").map {
          $0.split(separator: ",", omittingEmptySubsequences: false).count
        }
        #expect(records.count == count + 1, "\(arguments)")
        let names = csv.prefix { $0 != "\r\n" }.split(separator: ",").map(String.init)
        #expect(Set(names) == Set(json[0].keys), "\(arguments)")
      }
      // The lists with a summary, which is not part of the lines.
      for arguments in [["usage"], ["ledger", "verify"]] {
        let lines = try await fixture.mockupctl(arguments + ["--output", "jsonl"]).output
        #expect(lines.split(separator: "\n").count == (arguments == ["usage"] ? 1 : 0))
      }
    }
  }

  /// Returns the length of the longest line, without progress that was erased.
  private static func widest(_ table: String) -> Int {
    table.split(separator: "\n").map { line in
      (line.ranges(of: "\u{1b}[K").last.map { line[$0.upperBound...] } ?? line).count
    }.max() ?? 0
  }

  @Test func `every list fits a terminal with 80 columns, with whole ids`() async throws {
    try await Self.with { fixture in
      let user = try await fixture.user("ann@x.test")
      let other = try await fixture.database.makeUser(annualBudget: 3500).wireText
      let id = UUID().wireText
      _ = try await fixture.mockupctl(["reserve", user, "2", "--id", id])
      _ = try await fixture.mockupctl(["commit", user, id])
      let stuck = try await fixture.unresolved(of: user, credits: 60)
      _ = try await fixture.database.makeMockups(2, of: try #require(UUID(uuidString: user)))
      let asset = try #require(
        try await fixture.database.texts("SELECT id::text FROM public.assets").first)
      let mockup = try #require(
        try await fixture.database.texts("SELECT id::text FROM public.mockups").first)
      // Each list, with ids that it must show whole.
      let lists: [(arguments: String, ids: [String])] = [
        ("usage", [other]), ("usage --by-month", []), ("usage \(user) --by-month", []),
        ("usage-history \(user)", []), ("usage-history \(user) --by day", []),
        ("ledger show \(user)", []), ("ledger export \(user) --output table", []),
        ("reservations list \(user)", [id, stuck]), ("mockups list \(user)", [mockup]),
        ("generate \(user) --asset \(asset) --scene bedroom --scene nowhere", []),
        ("mockups claim --worker w --count 1", [user]), ("scenes list", []), ("stuck", [stuck]),
        ("alerts list", []), ("ledger verify", []),
      ]
      for (arguments, ids) in lists {
        let table = try await fixture.onTerminal(
          arguments, columns: 80, environment: ["NO_COLOR": "1"],
          exitCode: arguments.hasPrefix("generate") ? 1 : 0)
        #expect(Self.widest(table) <= 80, "\(arguments):\n\(table)")
        #expect(!table.contains("Usage:"), "\(arguments):\n\(table)")
        for id in ids { #expect(table.contains(id), "\(arguments):\n\(table)") }
      }
      // The command below a row can be pasted.
      let table = try await fixture.onTerminal("stuck", columns: 80)
      let command = try #require(table.range(of: "mockupctl reservations resolve "))
      let words = table[command.lowerBound...].replacing("\\\n", with: "")
        .replacing(" N\n", with: " 1").split(separator: " ").dropFirst().map(String.init)
      let resolved = try await fixture.mockupctl(words)
      #expect(resolved.exitCode == 0, "\(words) \(resolved)")

      // A discrepancy is told whole.
      try await fixture.database.owner.run(
        "UPDATE mockupd.credit_counters SET generation = generation + 1")
      let verified = try await fixture.onTerminal(
        "ledger verify", columns: 80, environment: ["NO_COLOR": "1"], exitCode: 1)
      let whole = try await fixture.mockupctl(["ledger", "verify", "--output", "jsonl"]).output
      let object =
        try JSONSerialization.jsonObject(
          with: Data(try #require(whole.split(separator: "\n").first).utf8)) as? [String: Any]
      let description = try #require(object?["description"] as? String)
      for word in description.split(separator: " ") {
        #expect(verified.contains(word), "\(verified) \(description)")
      }
      try await fixture.database.owner.run(
        "UPDATE mockupd.credit_counters SET generation = generation - 1")
    }
  }

  @Test func `on a terminal, a table fits its width, and NO_COLOR turns styles off`() async throws {
    try await Self.with { fixture in
      let long = String(repeating: "long.", count: 20) + "@x.test"
      let user = try await fixture.user(long)
      _ = try await fixture.unresolved(of: user, credits: 1)
      for columns in [60, 100] {
        let table = try await fixture.onTerminal(
          "stuck", columns: columns, environment: ["NO_COLOR": "1"])
        #expect(Self.widest(table) <= columns, "\(table)")
        #expect(table.contains("…"), "\(table)")
        #expect(!table.contains("\u{1b}"))
      }
      let styled = try await fixture.onTerminal("stuck", columns: 100)
      #expect(styled.hasPrefix("\u{1b}[1munresolved_since"), "\(styled)")
      let overridden = try await fixture.onTerminal(
        "stuck", columns: 60, environment: ["COLUMNS": "500"])
      #expect(overridden.contains(long))
      // A pipe gets everything, whatever COLUMNS says.
      let piped = try await fixture.mockupctl(["stuck"], environment: ["COLUMNS": "60"])
      #expect(piped.output.contains(long))
      #expect(!piped.output.contains("\u{1b}"))

      // The progress is erased again, and only a terminal gets it.
      let verified = try await fixture.onTerminal("ledger verify", columns: 80)
      #expect(verified.contains("verified 1 users, found 0 discrepancies"))
      #expect(verified.hasSuffix("\r\u{1b}[Kusers_verified  1\n"), "\(verified.debugDescription)")
      #expect(try await fixture.mockupctl(["ledger", "verify"]).errors.isEmpty)
    }
  }
}
