import Foundation
import MockupClient
import TestSupport
import Testing

/// The `mockupctl` commands for administrators.
@Suite struct MockupctlAdminTests {
  private static func mockupctl(
    _ arguments: [String], at server: RunningServer
  ) async throws -> Program.Ending {
    try await Program.mockupctl.run(
      arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket])
  }

  private static func object(_ ending: Program.Ending) throws -> [String: Any] {
    try #require(
      JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any], "\(ending)")
  }

  /// Splits each line of the output into words.
  private static func words(_ ending: Program.Ending) -> [[String]] {
    ending.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
  }

  @Test func `usage is shown for one user or all users, and by month with bars`() async throws {
    try await MigratedDatabase.with { database in
      let rich = try await database.makeUser(annualBudget: 100, monthlySoftLimit: 5).wireText
      let poor = try await database.makeUser(annualBudget: 3).wireText
      try await database.withServer { server in
        _ = try await Self.mockupctl(["reserve", rich, "8"], at: server)
        let table = try await Self.mockupctl(["usage", "--order", "available"], at: server)
        #expect(table.exitCode == 0, "\(table)")
        let lines = Self.words(table)
        #expect(lines.first?.first == "user")
        #expect(lines.dropFirst().first?.first == poor)
        #expect(lines.dropFirst(2).first?.first == rich)
        #expect(lines.contains(["users", "2"]))
        #expect(lines.contains(["held", "8"]))

        let filters: [(arguments: [String], users: [String])] = [
          (["--active"], [rich]), (["--soft-limit-passed"], [rich]),
          (["--available-at-most", "3"], [poor]), (["--year", "2001", "--active"], []),
        ]
        for (arguments, users) in filters {
          let ending = try await Self.mockupctl(
            ["usage", "--output", "json"] + arguments, at: server)
          let report = try Self.object(ending)
          let listed = try #require(report["users"] as? [[String: Any]])
          #expect(listed.compactMap { $0["user_id"] as? String } == users, "\(arguments)")
          let totals = try #require(report["totals"] as? [String: Any])
          #expect(totals["users"] as? Int == users.count, "\(arguments)")
        }

        for arguments in [["usage", "--by-month"], ["usage", rich, "--by-month"]] {
          let year = try await Self.mockupctl(arguments, at: server)
          #expect(year.exitCode == 0, "\(year)")
          let months = Self.words(year).dropFirst()
          #expect(months.count == 12)
          let bars = months.compactMap(\.last).filter { $0.contains("░") }
          #expect(bars == [String(repeating: "░", count: 30)], "\(year)")
        }
        for arguments in [
          ["usage", rich, "--active"], ["usage", rich, "--order", "held"],
          ["usage", "--by-month", "--month", "2"], ["usage", "--order", "name"],
          ["usage", "--by-month", "--order", "used"], ["usage", rich, "--order", "user"],
          ["performance", "record", "--pins", "1"],
          ["reserve", rich, "1", "--check", "--best-effort"],
        ] {
          #expect(try await Self.mockupctl(arguments, at: server).exitCode == 64, "\(arguments)")
        }
      }
    }
  }

  @Test func `budgets are shown and set`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10).wireText
      try await database.withServer { server in
        let shown = try await Self.mockupctl(["budget", user], at: server)
        #expect(Self.words(shown).contains(["annual_budget", "10"]), "\(shown)")
        let set = try await Self.mockupctl(
          ["budget", user, "--annual", "20", "--monthly", "4"], at: server)
        #expect(set.exitCode == 0)
        for line in [
          ["annual_budget", "20"], ["previous_annual_budget", "10"],
          ["monthly_soft_limit", "4"], ["previous_monthly_soft_limit", "292"],
        ] {
          #expect(Self.words(set).contains(line), "\(set)")
        }
        let nobody = try await Self.mockupctl(
          ["budget", UUID().wireText, "--annual", "1"], at: server)
        #expect(nobody.exitCode == 3)
        let negative = try await Self.mockupctl(["budget", user, "--annual=-1"], at: server)
        #expect(negative.exitCode == 64)
      }
    }
  }

  @Test func `an unresolved reservation is resolved and wrong counters are reported`() async throws
  {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10).wireText
      let id = UUID().wireText
      try await database.withServer { server in
        _ = try await Self.mockupctl(["reserve", user, "4", "--id", id], at: server)
        let tooEarly = try await Self.mockupctl(
          ["reservations", "resolve", user, id, "--credits", "1"], at: server)
        #expect(tooEarly.exitCode == 1)
        _ = try await Self.mockupctl(["dispatch", user, id], at: server)
        try await database.expireReservations()
        let resolved = try await Self.mockupctl(
          ["reservations", "resolve", user, id, "--credits", "1"], at: server)
        #expect(resolved.exitCode == 0, "\(resolved)")
        #expect(Self.words(resolved).contains(["remaining_annual", "9"]), "\(resolved)")

        for arguments in [["ledger", "verify"], ["ledger", "verify", user]] {
          let right = try await Self.mockupctl(arguments, at: server)
          #expect(right.exitCode == 0)
          #expect(right.output == "users_verified  1\n")
        }
        try await database.owner.run("UPDATE mockupd.credit_counters SET held = held + 1")
        for arguments in [["ledger", "verify"], ["ledger", "verify", user]] {
          let wrong = try await Self.mockupctl(arguments, at: server)
          #expect(wrong.exitCode == 1, "\(arguments)")
          #expect(wrong.output.contains("held: the counter is 1, but should be 0"))
          let json = try Self.object(
            try await Self.mockupctl(arguments + ["--output", "json"], at: server))
          #expect(json["users_verified"] as? Int == 1)
          #expect((json["discrepancies"] as? [Any])?.count == 1)
        }
      }
    }
  }

  @Test func `the info command shows the server process and versions`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        let info = try Self.object(
          try await Self.mockupctl(["info", "--output", "json"], at: server))
        #expect(info["process_id"] as? Int == Int(server.process.processID))
        #expect((info["database_version"] as? String)?.hasPrefix("PostgreSQL") == true)
        let version = try await Program.mockupd.run(["--version"])
        #expect(version.output == "\(info["version"] as? String ?? "")\n")
      }
    }
  }
}
