import Foundation
import TestSupport
import Testing

/// The `mockupctl` commands for reservations, usage and the ledger.
@Suite struct MockupctlTests {
  private static func mockupctl(
    _ arguments: [String], at server: RunningServer
  ) async throws -> Program.Ending {
    try await Program.mockupctl.run(
      arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket])
  }

  private static func object(_ ending: Program.Ending) throws -> [String: Any] {
    try #require(
      JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any])
  }

  /// Parses a printed table of names and values.
  private static func table(_ ending: Program.Ending) -> [String: String] {
    let lines = ending.output.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1) }
    return Dictionary(
      lines.map { words in
        (String(words[0]), words.last?.trimmingCharacters(in: .whitespaces) ?? "")
      },
      uniquingKeysWith: { first, _ in first })
  }

  @Test func `a reservation is extended, dispatched, committed in part, released and refunded`()
    async throws
  {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10).uuidString.lowercased()
      let (id, group) = (UUID().uuidString.lowercased(), UUID().uuidString.lowercased())
      let steps: [(arguments: [String], code: Int32, answers: [String: String])] = [
        (
          ["reserve", user, "19", "--id", id, "--best-effort", "--group", group], 0,
          ["granted": "10", "remaining": "0"]
        ),
        (["extend", user, id], 0, ["state": "held"]),
        (["dispatch", user, id, "--time-to-live", "60"], 0, ["state": "dispatched"]),
        (
          ["commit", user, id, "--credits", "2", "--not-final"], 0,
          ["committed": "2", "released": "0", "state": "dispatched"]
        ),
        (
          ["release", user, "--group", group], 0,
          ["reservations": "1", "released": "8", "remaining": "8"]
        ),
      ]
      try await database.withServer { server in
        for (arguments, code, answers) in steps {
          let ending = try await Self.mockupctl(arguments, at: server)
          #expect(ending.exitCode == code, "\(arguments) \(ending)")
          let table = Self.table(ending)
          for (name, value) in answers {
            #expect(table[name] == value, "\(arguments) \(name)")
          }
        }
        let listed = try await Self.mockupctl(
          ["reservations", user, "--state", "committed", "--output", "json"], at: server)
        let reservations = try #require(
          JSONSerialization.jsonObject(with: Data(listed.output.utf8)) as? [[String: Any]])
        #expect(reservations.map { $0["reservation_id"] as? String } == [id])
        let none = try await Self.mockupctl(
          ["reservations", "list", user, "--state", "held"], at: server)
        #expect(none.output == "none\n")

        let exported = try await Self.mockupctl(
          ["ledger", "export", user, "--output", "jsonl"], at: server)
        let charge = try Self.object(exported)
        #expect(charge["credits"] as? Int == 2)
        let entry = try #require(charge["entry_id"] as? String)
        let refund = try await Self.mockupctl(
          ["refund", user, entry, "--credits", "1"], at: server)
        #expect(Self.table(refund)["refunded"] == "1")
        #expect(Self.table(refund)["remaining"] == "9")
        let csv = try await Self.mockupctl(["ledger", "export", user], at: server)
        let lines = csv.output.split(separator: "\r\n").map {
          $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(lines.count == 3)
        #expect(Set(lines.map(\.count)).count == 1)
        let operation = try #require(lines[0].firstIndex(of: "operation"))
        #expect(lines.dropFirst().map { $0[operation] } == ["generation", "refund"])
        let unknown = try await Self.mockupctl(
          ["ledger", "export", UUID().uuidString], at: server)
        #expect(unknown.exitCode == 3)
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }

  @Test func `every command prints the same names as a table and as JSON`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10).uuidString.lowercased()
      let id = UUID().uuidString.lowercased()
      let other = UUID().uuidString.lowercased()
      let steps: [(arguments: [String], code: Int32, answers: [String: String])] = [
        (
          ["reserve", user, "4", "--check"], 0,
          [
            "success": "yes", "remaining": "6",
            "message": "Credits available; nothing was reserved.",
          ]
        ),
        (
          ["reserve", user, "11", "--check"], 1,
          ["success": "no", "message": "Insufficient credits. 10 remaining."]
        ),
        (
          ["reserve", user, "4", "--id", id, "--operation", "regeneration"], 0,
          [
            "success": "yes", "remaining": "6", "reservation_id": id, "state": "held",
            "replayed": "no", "message": "Credits reserved successfully.",
          ]
        ),
        (
          ["reserve", user, "4", "--id", id, "--operation", "regeneration"], 0,
          ["success": "yes", "replayed": "yes"]
        ),
        (
          ["reserve", user, "7", "--time-to-live", "60", "--id", UUID().uuidString], 1,
          ["success": "no", "message": "Insufficient credits. 6 remaining.", "state": "refused"]
        ),
        (
          ["reservation", user, id], 0,
          ["state": "held", "held": "4", "operation": "regeneration", "commit_id": "-"]
        ),
        (
          ["commit", user, id, "--credits", "3"], 0,
          ["committed": "3", "released": "1", "state": "committed", "replayed": "no"]
        ),
        (["reserve", user, "2", "--id", other], 0, ["remaining": "5"]),
        (["release", user, other], 0, ["released": "2", "state": "released", "remaining": "7"]),
        (["release", user, other], 0, ["released": "2", "replayed": "yes"]),
        (
          ["usage", user], 0,
          [
            "annual_budget": "10", "total_used": "3", "regeneration": "3", "held": "0",
            "remaining_annual": "7",
          ]
        ),
        (["usage", user, "--year", "2001", "--month", "2"], 0, ["year": "2001", "month": "2"]),
      ]
      try await database.withServer { server in
        for (arguments, code, answers) in steps {
          // Once as a table, and then a retry of the same command as JSON.
          let ending = try await Self.mockupctl(arguments, at: server)
          #expect(ending.exitCode == code, "\(arguments) \(ending)")
          #expect(ending.errors.isEmpty, "\(arguments) \(ending)")
          let table = Self.table(ending)
          for (name, value) in answers {
            #expect(table[name] == value, "\(arguments) \(name)")
          }
          let json = try await Self.mockupctl(arguments + ["--output", "json"], at: server)
          #expect(json.exitCode == code, "\(arguments) \(json)")
          #expect(try Set(Self.object(json).keys) == Set(table.keys), "\(arguments)")
        }
        let usage = try Self.object(
          try await Self.mockupctl(["usage", user, "--output", "json"], at: server))
        #expect(usage["total_used"] as? Int == 3)
        #expect(usage["soft_limit_passed"] as? Bool == false)
        try await checkLedger(of: user, reservation: id, server)
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }

  private func checkLedger(
    of user: String, reservation: String, _ server: RunningServer
  ) async throws {
    let table = try await Self.mockupctl(["ledger", user], at: server)
    #expect(table.exitCode == 0)
    let lines = table.output.split(separator: "\n")
    #expect(lines.count == 2, "\(table)")
    #expect(lines.first?.hasPrefix("sequence") == true)
    #expect(lines.last?.contains(reservation) == true)
    let json = try await Self.mockupctl(["ledger", user, "--output", "json"], at: server)
    let entries = try #require(
      JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
    #expect(entries.count == 1)
    #expect(entries.first?["credits"] as? Int == 3)
    #expect(entries.first?["balance_before"] as? Int == 10)
    #expect(entries.first?["balance_after"] as? Int == 7)
    let none = try await Self.mockupctl(["ledger", user, "--year", "2001"], at: server)
    #expect(none.exitCode == 0)
    #expect(none.output == "none\n")
  }

  @Test func `a failure is reported with an exit code and one line`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10).uuidString
      let nobody = UUID().uuidString
      let held = UUID().uuidString
      try await database.withServer { server in
        _ = try await Self.mockupctl(["reserve", user, "2", "--id", held], at: server)
        let refusals: [(arguments: [String], code: Int32)] = [
          (["reserve", user, "3", "--id", held], 1),
          (["commit", user, held, "--credits", "3"], 1),
          (["usage", nobody], 3),
          (["ledger", nobody], 3),
          (["reserve", nobody, "1", "--id", held], 3),
          (["reservation", user, nobody], 3),
          (["commit", user, nobody], 3),
          (["release", user, nobody], 3),
          (["reserve", user, "1", "--time-to-live", "86401", "--id", nobody], 64),
          (["usage", user, "--month", "13"], 64),
          (["usage", user, "--socket", "/nowhere/socket"], 69),
        ]
        for (arguments, code) in refusals {
          let ending = try await Self.mockupctl(arguments, at: server)
          #expect(ending.exitCode == code, "\(arguments) \(ending)")
          #expect(ending.output.isEmpty, "\(arguments) \(ending)")
          #expect(ending.errorLines.count == 1, "\(arguments) \(ending)")
          #expect(ending.errors.hasPrefix("mockupctl: "), "\(arguments) \(ending)")
        }
        // Arguments that the command line itself rejects come with a usage text.
        for arguments in [
          ["reserve"], ["reserve", "me", "1"], ["reserve", user, "many"], ["reserve", user, "0"],
          ["reserve", user, "99999999999", "--id", nobody],
          ["usage", user, "--yaer"],
          ["reserve", user, "1", "--operation", "refund"], ["ledger", user, "--limit", "-1"],
          ["usage", user, "--output", "xml"], ["usage", user, "--timeout", "0"], ["spend", user],
        ] {
          let ending = try await Self.mockupctl(arguments, at: server)
          #expect(ending.exitCode == 64, "\(arguments) \(ending)")
          #expect(ending.output.isEmpty, "\(arguments) \(ending)")
          #expect(ending.errors.contains("Error: "), "\(arguments) \(ending)")
        }
      }
    }
  }

  @Test func `a command ends at its timeout if the server does not answer`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      try await database.withServer { server in
        server.process.signal(SIGSTOP)
        let ending = try await Self.mockupctl(
          ["usage", user.uuidString, "--timeout", "0.2"], at: server)
        server.process.signal(SIGCONT)
        #expect(ending.exitCode == 75)
        #expect(ending.errorLines == ["mockupctl: the call's deadline has passed"])
      }
    }
  }

  @Test func `the help lists the exit codes`() async throws {
    let ending = try await Program.mockupctl.run(["--help"])
    #expect(ending.exitCode == 0)
    let words = ending.output.split(whereSeparator: \.isWhitespace)
    for code in ["0", "1", "3", "64", "69", "70", "74", "75", "77", "141"] {
      #expect(words.contains(Substring(code)))
    }
  }
}
