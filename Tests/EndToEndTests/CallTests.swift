import Foundation
import Postgres
import TestSupport
import Testing

/// `mockupctl call`, `describe` and `health` against mockupd.
@Suite struct CallTests {
  private static func mockupctl(
    _ arguments: [String], input: String = "", at server: RunningServer
  ) async throws -> Program.Ending {
    try await Program.mockupctl.run(
      arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket], input: input)
  }

  private static func json(_ text: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
  }

  /// Returns the common form of a value in the output of `call` and of a typed command.
  ///
  /// Enum values are reduced to their last words, numbers become strings, and a missing value an
  /// empty string.
  private static func plain(_ value: Any?) -> String {
    guard let value, !(value is NSNull) else { return "" }
    var text = "\(value)"
    for prefix in ["RESERVATION_STATE_", "OPERATION_"] where text.hasPrefix(prefix) {
      text = text.dropFirst(prefix.count).lowercased()
    }
    return text
  }

  /// Expects that `call` and a typed command printed the same values under the names they share.
  ///
  /// - Parameters:
  ///   - called: The output of `call`.
  ///   - typed: The output of the typed command.
  ///   - minimum: The least number of names that both must have.
  ///   - comment: A comment for failures.
  private static func expectSame(
    _ called: [String: Any], _ typed: [String: Any], _ minimum: Int, _ comment: Comment
  ) {
    let reservation = called["reservation"] as? [String: Any] ?? [:]
    let usage = called["usage"] as? [String: Any] ?? [:]
    let all = called.merging(reservation) { outer, _ in outer }.merging(usage) { outer, _ in outer }
    var compared = 0
    // The two print times with different numbers of digits.
    for (name, value) in typed where !name.hasSuffix("_at") && all[name] != nil {
      #expect(plain(all[name]) == plain(value), "\(comment) \(name)")
      compared += 1
    }
    #expect(compared >= minimum, "\(comment)")
  }

  @Test func `call prints the same values as the typed command of each CreditService method`()
    async throws
  {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10).uuidString.lowercased()
      let id = UUID().uuidString.lowercased()
      let other = UUID().uuidString.lowercased()
      let open = #""userId":"\#(user)","reservationId""#
      let steps: [(method: String, request: String, command: [String], names: Int)] = [
        (
          "ReserveCredits", #"{\#(open):"\#(id)","credits":4}"#,
          ["reserve", user, "4", "--id", id], 6
        ),
        // A time to live that is shorter than the remaining one changes nothing.
        (
          "ExtendReservation", #"{\#(open):"\#(id)","timeToLiveSeconds":1}"#,
          ["extend", user, id, "--time-to-live", "1"], 2
        ),
        ("DispatchReservation", #"{\#(open):"\#(id)"}"#, ["dispatch", user, id], 2),
        ("GetReservation", #"{\#(open):"\#(id)"}"#, ["reservation", user, id], 12),
        (
          "CommitReservation", #"{\#(open):"\#(id)","credits":3}"#,
          ["commit", user, id, "--credits", "3"], 6
        ),
        (
          "ReserveCredits", #"{\#(open):"\#(other)","credits":"2"}"#,
          ["reserve", user, "2", "--id", other], 6
        ),
        ("ReleaseReservation", #"{\#(open):"\#(other)"}"#, ["release", user, other], 4),
        ("ListReservations", #"{"user_id":"\#(user)"}"#, ["reservations", user], 12),
        ("GetCreditUsage", #"{"user_id":"\#(user)"}"#, ["usage", user], 14),
        ("ListCreditUsage", #"{"user_id":"\#(user)"}"#, ["ledger", user], 10),
      ]
      try await database.withServer { server in
        for (method, request, command, names) in steps {
          let call = ["call", "mockups.v1.CreditService/\(method)", "--defaults", "--proto-names"]
          let called = try await Self.mockupctl(call + [request], at: server)
          #expect(called.exitCode == 0, "\(method) \(called)")
          #expect(called.errors.isEmpty, "\(method) \(called)")
          // Changes are retried under the same ids, so both get the same response.
          let typed = try await Self.mockupctl(command + ["--output", "json"], at: server)
          #expect(typed.exitCode == 0, "\(method) \(typed)")
          let answer = try #require(Self.json(called.output) as? [String: Any])
          let typedAnswer = try Self.json(typed.output)
          if let entries = typedAnswer as? [[String: Any]] {
            let calledEntries = try #require(
              (answer["entries"] ?? answer["reservations"]) as? [[String: Any]])
            #expect(calledEntries.count == entries.count)
            for (one, two) in zip(calledEntries, entries) {
              Self.expectSame(one, two, names, "\(method)")
            }
          } else {
            var typedAnswer = try #require(typedAnswer as? [String: Any])
            // The second of the two calls is marked as a replay.
            if command.first != "usage" { typedAnswer["replayed"] = nil }
            Self.expectSame(answer, typedAnswer, names, "\(method)")
          }
          let repeated = try await Self.mockupctl(
            ["call", "CreditService/\(method)"], input: request, at: server)
          #expect(repeated.exitCode == 0, "\(method) \(repeated)")
          #expect(repeated.output.split(separator: "\n").count == 1, "\(method) \(repeated)")
        }
        let service = try await Self.mockupctl(["describe", "CreditService"], at: server)
        let methods = service.output.split(separator: "\n").compactMap { line in
          line.contains(" rpc ") ? line.split { " (".contains($0) }.dropFirst().first : nil
        }
        // These have no typed command with the same output, or need an id that the server creates.
        let others = [
          "BatchReserveCredits", "BatchSettleReservations", "ExportCreditUsage", "RefundCredits",
        ]
        #expect(Set(methods.map { String($0) }) == Set(steps.map(\.method) + others))
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }

  @Test func `an invalid call is reported and changes nothing`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10).uuidString.lowercased()
      let reserve = "mockups.v1.CreditService/ReserveCredits"
      let valid = #"{"userId":"\#(user)","reservationId":"\#(UUID())","credits":1}"#
      let nobody = UUID().uuidString.lowercased()
      let refusals: [(arguments: [String], input: String, code: Int32, lines: [String])] = [
        (
          [reserve, #"{"userId": }"#], "", 64, ["request 1: line 1, column 12: a value is expected"]
        ),
        (
          [reserve], "{\n\"userId\" \"\"}", 64,
          ["request 1: line 2, column 10: a colon is expected"]
        ),
        (
          [reserve, #"{"credit":1}"#], "", 64,
          [
            "request 1: credit: mockups.v1.ReserveCreditsRequest has no such field; "
              + "did you mean credits?"
          ]
        ),
        (
          [reserve, #"{"credits":"many"}"#], "", 64,
          ["request 1: credits: \"many\" is no int32"]
        ),
        ([reserve, valid, valid], "", 64, ["\(reserve) takes a single request, not several"]),
        ([reserve], valid + valid, 64, ["\(reserve) takes a single request, not several"]),
        (
          ["mockups.v1.CreditService/ReserveCredit", valid], "", 64,
          [
            "there is no method mockups.v1.CreditService/ReserveCredit; "
              + "did you mean mockups.v1.CreditService/ReserveCredits?"
          ]
        ),
        (
          [reserve, #"{"userId":"\#(user)","credits":0}"#], "", 64,
          [
            "INVALID_ARGUMENT: reservation_id is missing", "  reservation_id: is missing",
          ]
        ),
        (
          ["CreditService/GetCreditUsage", #"{"userId":"\#(nobody)"}"#], "", 3,
          ["NOT_FOUND: there is no user \(nobody)"]
        ),
        (
          [reserve, valid, "--socket", "/nowhere/socket"], "", 69,
          ["UNAVAILABLE: cannot connect to /nowhere/socket: No such file or directory"]
        ),
      ]
      try await database.withServer { server in
        for (arguments, input, code, lines) in refusals {
          let ending = try await Self.mockupctl(["call"] + arguments, input: input, at: server)
          #expect(ending.exitCode == code, "\(arguments) \(ending)")
          #expect(ending.output.isEmpty, "\(arguments) \(ending)")
          #expect(
            ending.errors == "mockupctl: " + lines.map { $0 + "\n" }.joined(),
            "\(arguments) \(ending)")
        }
        for arguments in [
          [], [reserve, "-", "{}"], [reserve, "--timeout", "0"], [reserve, "-H", "key"],
          [reserve, "--compact", "--pretty"],
        ] {
          let ending = try await Self.mockupctl(["call"] + arguments, at: server)
          #expect(ending.exitCode == 64, "\(arguments) \(ending)")
          #expect(ending.errors.contains("Error: "), "\(arguments) \(ending)")
        }
        let usage = try await Self.mockupctl(
          ["call", "GetCreditUsage", #"{"userId":"\#(user)"}"#], at: server)
        let answer = try #require(try Self.json(usage.output) as? [String: Any])
        #expect(answer["held"] == nil)
        #expect(answer["remainingAnnual"] as? String == "10")
      }
    }
  }

  @Test func `a call ends at its timeout if the server does not answer`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        server.process.signal(SIGSTOP)
        for arguments in [["call", "Check"], ["describe"], ["health"], ["health", "--watch"]] {
          let ending = try await Self.mockupctl(arguments + ["--timeout", "0.2"], at: server)
          #expect(ending.exitCode == 75, "\(arguments) \(ending)")
          #expect(
            ending.errorLines == ["mockupctl: DEADLINE_EXCEEDED: the call's deadline has passed"])
        }
        server.process.signal(SIGCONT)
      }
    }
  }

  @Test(arguments: [
    (["call", "grpc.health.v1.Health/Watch"], "{\"status\":\"SERVING\"}\n"),
    (["health", "--watch"], "SERVING\n"),
  ])
  func `a watch prints messages as they arrive and ends on SIGINT`(
    _ arguments: [String], _ line: String
  ) async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        try await Self.waitUntilServing(server)
        try await withTemporaryFolder { folder in
          let program = try Program.mockupctl.start(
            arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket], folder: folder)
          try await program.waitForOutput(line)
          program.signal(SIGINT)
          let ending = await program.ending()
          #expect(ending.exitCode == nil)
          #expect(ending.output == line)
          #expect(ending.errors.isEmpty)
        }
      }
    }
  }

  @Test func `a reflection stream reads requests from standard input`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        try await withTemporaryFolder { folder in
          let input = Pipe()
          let program = try Program.mockupctl.start(
            ["call", "grpc.reflection.v1.ServerReflection/ServerReflectionInfo"],
            environment: ["MOCKUPD_SOCKET_PATH": server.socket],
            input: input.fileHandleForReading, folder: folder)
          try input.fileHandleForWriting.write(contentsOf: Data(#"{"listServices":""}"#.utf8))
          let first = #"""
            {"originalRequest":{"listServices":""},"listServicesResponse":{"service":[\#
            {"name":"grpc.health.v1.Health"},{"name":"grpc.reflection.v1.ServerReflection"},\#
            {"name":"mockups.v1.AdminService"},{"name":"mockups.v1.CreditService"},\#
            {"name":"mockups.v1.MockupService"},{"name":"mockups.v1.SceneService"}]}}

            """#
          try await program.waitForOutput(first)
          try input.fileHandleForWriting.write(
            contentsOf: Data(#"{"fileByFilename":"no"}"#.utf8))
          try input.fileHandleForWriting.close()
          let ending = await program.ending()
          #expect(ending.exitCode == 0)
          #expect(ending.errors.isEmpty)
          #expect(
            ending.output == first + #"""
              {"originalRequest":{"fileByFilename":"no"},\#
              "errorResponse":{"errorCode":5,"errorMessage":"no matching file"}}

              """#)
        }
      }
    }
  }

  @Test func `services, methods and types are described`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        let all = try await Self.mockupctl(["describe"], at: server)
        #expect(all.exitCode == 0)
        let services = all.output.split(separator: "\n").filter { !$0.hasPrefix(" ") }
        #expect(
          services == [
            "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
            "mockups.v1.AdminService", "mockups.v1.CreditService", "mockups.v1.MockupService",
            "mockups.v1.SceneService",
          ])
        #expect(
          all.output.contains(
            "\n  rpc GetCreditUsage(mockups.v1.GetCreditUsageRequest) returns "
              + "(mockups.v1.GetCreditUsageResponse)\n"))
        let descriptions: [(name: String, lines: [String])] = [
          ("Health", ["// Reports if a server", "service Health {", "  rpc Watch("]),
          ("CreditService/GetReservation", ["// Returns a reservation in its", "rpc GetRes"]),
          ("ReserveCreditsRequest", ["message ReserveCreditsRequest {", "  // The number of"]),
          ("ReserveMode", ["enum ReserveMode {", "  RESERVE_MODE_CHECK_ONLY = 2;"]),
          ("google.protobuf.Timestamp", ["message Timestamp {", "  int64 seconds = 1;"]),
        ]
        for (name, starts) in descriptions {
          let ending = try await Self.mockupctl(["describe", name], at: server)
          #expect(ending.exitCode == 0, "\(name) \(ending)")
          let lines = ending.output.split(separator: "\n")
          for start in starts {
            #expect(lines.contains { $0.hasPrefix(start) }, "\(name): \(start) in \(ending)")
          }
        }
        let nothing = try await Self.mockupctl(["describe", "ReserveMod"], at: server)
        #expect(nothing.exitCode == 64)
        #expect(nothing.output.isEmpty)
        #expect(
          nothing.errorLines == [
            "mockupctl: there is no service, method or type ReserveMod; "
              + "did you mean mockups.v1.ReserveMode?"
          ])
      }
    }
  }

  @Test func `health prints the status and sets the exit code`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        try await Self.waitUntilServing(server)
        for service in [[], ["mockups.v1.CreditService"]] {
          let ending = try await Self.mockupctl(["health"] + service, at: server)
          #expect(ending.exitCode == 0)
          #expect(ending.output == "SERVING\n")
          #expect(ending.errors.isEmpty)
        }
        let unknown = try await Self.mockupctl(["health", "no.Service"], at: server)
        #expect(unknown.exitCode == 3)
        #expect(unknown.errorLines == ["mockupctl: NOT_FOUND: unknown service"])
      }
      let nowhere = try await Program.mockupctl.run(["health", "--socket", "/nowhere/socket"])
      #expect(nowhere.exitCode == 69)
      #expect(nowhere.output.isEmpty)
      #expect(
        nowhere.errorLines == [
          "mockupctl: UNAVAILABLE: cannot connect to /nowhere/socket: No such file or directory"
        ])
    }
  }

  @Test func `a server without its database reports NOT_SERVING`() async throws {
    try await withTemporaryFolder { folder in
      let nowhere = PostgresConfiguration(
        url: "postgresql:///mockups?host=\(folder)", applicationName: "test")
      let server = try await RunningServer.start(
        on: nowhere, settings: ["MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS": "1"], folder: folder)
      for arguments in [["health"], ["health", "mockups.v1.CreditService"]] {
        let ending = try await Self.mockupctl(arguments, at: server)
        #expect(ending.exitCode == 69)
        #expect(ending.output == "NOT_SERVING\n")
        #expect(ending.errors.isEmpty)
      }
      let usage = try await Self.mockupctl(
        ["call", "GetCreditUsage", #"{"userId":"\#(UUID())"}"#], at: server)
      #expect(usage.exitCode == 69)
      #expect(usage.errors.hasPrefix("mockupctl: UNAVAILABLE: "))
      #expect(usage.errorLines.last?.hasPrefix("  retry after ") == true, "\(usage)")
      #expect(await server.stop().exitCode == 0)
    }
  }

  /// Waits until the server reports SERVING, which happens shortly after it is ready.
  private static func waitUntilServing(_ server: RunningServer) async throws {
    try await eventually("mockupd reports SERVING") {
      try await mockupctl(["health"], at: server).exitCode == 0
    }
  }
}
