import Foundation
import MockupClient
import TestSupport
import Testing

/// Calls of AdminService through the client library, and invalid requests for it.
@Suite struct AdminTests {
  private struct Case: Sendable {
    let name: String
    let code: StatusCode
    let field: String?
    let call: @Sendable (AdminServiceClient, _ user: String) async throws -> Void

    init(
      _ name: String, _ code: StatusCode, _ field: String?,
      _ call: @escaping @Sendable (AdminServiceClient, String) async throws -> Void
    ) {
      self.name = name
      self.code = code
      self.field = field
      self.call = call
    }

    static func report(
      _ name: String, _ field: String,
      _ change: @escaping @Sendable (inout GetUsageReportRequest) -> Void
    ) -> Case {
      Case("report: \(name)", .invalidArgument, field) { stub, _ in
        var request = GetUsageReportRequest()
        change(&request)
        _ = try await stub.getUsageReport(request)
      }
    }

    static func history(
      _ name: String, _ code: StatusCode, _ field: String?,
      _ change: @escaping @Sendable (inout GetUsageHistoryRequest) -> Void
    ) -> Case {
      Case("history: \(name)", code, field) { stub, user in
        var request = GetUsageHistoryRequest(
          userID: user, firstDay: CivilDate(year: 2026, month: 1, day: 1),
          lastDay: CivilDate(year: 2026, month: 1, day: 31))
        change(&request)
        _ = try await stub.getUsageHistory(request)
      }
    }

    static func budget(
      _ name: String, _ code: StatusCode, _ field: String?,
      _ change: @escaping @Sendable (inout SetBudgetRequest) -> Void
    ) -> Case {
      Case("budget: \(name)", code, field) { stub, user in
        var request = SetBudgetRequest(userID: user, annualBudget: 1)
        change(&request)
        _ = try await stub.setBudget(request)
      }
    }

    static func resolve(
      _ name: String, _ code: StatusCode, _ field: String?,
      _ change: @escaping @Sendable (inout ResolveReservationRequest) -> Void
    ) -> Case {
      Case("resolve: \(name)", code, field) { stub, user in
        var request = ResolveReservationRequest(
          userID: user, reservationID: UUID().wireText, credits: 1)
        change(&request)
        _ = try await stub.resolveReservation(request)
      }
    }
  }

  private static let cases: [Case] = [
    .report("year -1", "year") { $0.year = -1 },
    .report("month 13", "month") { $0.month = 13 },
    .report("order 5", "order") { $0.order = .unrecognized(5) },
    .report("an invalid user id", "user_id") { $0.userID = "me" },
    .report("a token with unrelated text", "page_token") { $0.pageToken = "aGVsbG8=" },
    .report("a token of another order", "page_token") {
      $0.order = .held
      $0.pageToken = token("used/2026/5/0/\(UUID().wireText)")
    },
    .report("a token of another year", "page_token") {
      $0.year = 2025
      $0.pageToken = token("user_id/2026/5/0/\(UUID().wireText)")
    },
    .report("a token of month 13", "page_token") {
      $0.pageToken = token("user_id/2026/13/0/\(UUID().wireText)")
    },
    .history("an empty user id", .invalidArgument, "user_id") { $0.userID = "" },
    .history("unknown user", .notFound, nil) { $0.userID = UUID().wireText },
    .history("granularity 3", .invalidArgument, "granularity") {
      $0.granularity = .unrecognized(3)
    },
    .history("no first day", .invalidArgument, "first_day") { $0.firstDay = nil },
    .history("no last day", .invalidArgument, "last_day") { $0.lastDay = nil },
    .history("30 February", .invalidArgument, "first_day") {
      $0.firstDay = CivilDate(year: 2026, month: 2, day: 30)
    },
    .history("29 February 2027", .invalidArgument, "last_day") {
      $0.lastDay = CivilDate(year: 2027, month: 2, day: 29)
    },
    .history("year 0", .invalidArgument, "first_day") {
      $0.firstDay = CivilDate(year: 0, month: 1, day: 1)
    },
    .history("year 10000", .invalidArgument, "last_day") {
      $0.lastDay = CivilDate(year: 10_000, month: 1, day: 1)
    },
    .history("a range that ends before it begins", .invalidArgument, "last_day") {
      $0.lastDay = CivilDate(year: 2025, month: 12, day: 31)
    },
    .history("401 days", .invalidArgument, "last_day") {
      $0.lastDay = CivilDate(year: 2027, month: 2, day: 5)
    },
    .history("121 months", .invalidArgument, "last_day") {
      $0.granularity = .month
      $0.lastDay = CivilDate(year: 2036, month: 1, day: 1)
    },
    .budget("an empty user id", .invalidArgument, "user_id") { $0.userID = "" },
    .budget("unknown user", .notFound, nil) { $0.userID = UUID().wireText },
    .budget("-1 a year", .invalidArgument, "annual_budget") { $0.annualBudget = -1 },
    .budget("-1 a month", .invalidArgument, "monthly_soft_limit") { $0.monthlySoftLimit = -1 },
    .budget("no budget", .invalidArgument, "annual_budget") { $0.annualBudget = nil },
    .resolve("an empty user id", .invalidArgument, "user_id") { $0.userID = "" },
    .resolve("an empty reservation id", .invalidArgument, "reservation_id") {
      $0.reservationID = ""
    },
    .resolve("unknown reservation", .notFound, nil) { _ in },
    .resolve("an invalid resolution id", .invalidArgument, "resolution_id") {
      $0.resolutionID = "1"
    },
    .resolve("-1 credits", .invalidArgument, "credits") { $0.credits = -1 },
    Case("verify: an invalid user id", .invalidArgument, "user_id") { stub, _ in
      try await stub.verifyLedger(VerifyLedgerRequest(userID: "me")) { for try await _ in $0 {} }
    },
    Case("verify: unknown user", .notFound, nil) { stub, _ in
      try await stub.verifyLedger(VerifyLedgerRequest(userID: UUID().wireText)) {
        for try await _ in $0 {}
      }
    },
  ]

  private static func token(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

  @Test func `an invalid request is refused with the field at fault and changes nothing`()
    async throws
  {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10).wireText
      let settings = "SELECT guardrails::text FROM user_settings"
      let before = try await database.texts(settings)
      try await database.withServer { server in
        let client = Client(path: server.socket)
        let stub = AdminServiceClient(client)
        for test in Self.cases {
          do {
            try await test.call(stub, user)
            Issue.record("\(test.name) succeeded")
          } catch let error as RPCError {
            #expect(error.code == test.code, "\(test.name): \(error)")
            #expect(
              error.fieldViolations.map(\.field) == (test.field.map { [$0] } ?? []),
              "\(test.name): \(error)")
          }
        }
        await client.close()
      }
      #expect(try await database.texts(settings) == before)
    }
  }

  @Test func `a history has up to 400 days or 120 months`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let cases: [(UsageGranularity, CivilDate, CivilDate, Int)] = [
        (.day, day(2026, 1, 1), day(2027, 2, 4), 400),
        (.day, day(9999, 12, 31), day(9999, 12, 31), 1), (.day, day(1, 1, 1), day(1, 1, 2), 2),
        (.unspecified, day(2028, 2, 28), day(2028, 3, 1), 3),
        (.month, day(2026, 1, 31), day(2035, 12, 1), 120),
        (.month, day(9999, 12, 31), day(9999, 12, 31), 1),
      ]
      for (granularity, first, last, count) in cases {
        let intervals = try await client.admin.usageHistory(
          of: user, by: granularity, from: first, through: last)
        #expect(intervals.count == count, "\(first) \(last)")
        let firstDay = granularity == .month ? day(first.year, first.month, 1) : first
        #expect(intervals.first?.firstDay == firstDay)
      }
    }
  }

  private func day(_ year: Int32, _ month: Int32, _ day: Int32) -> CivilDate {
    CivilDate(year: year, month: month, day: day)
  }

  @Test func `a report is read in pages of one order and period`() async throws {
    try await MigratedDatabase.with { database in
      for _ in 0..<7 { _ = try await database.makeUser(annualBudget: 10) }
      try await database.withServer { server in
        let client = Client(path: server.socket)
        let stub = AdminServiceClient(client)
        var request = GetUsageReportRequest(order: .available, pageSize: 3)
        var users: [String] = []
        repeat {
          let response = try await stub.getUsageReport(request)
          #expect(response.totals?.users == 7)
          #expect(response.totals?.annualBudget == 70)
          users += response.users.map(\.userID)
          request.pageToken = response.nextPageToken
        } while !request.pageToken.isEmpty
        #expect(users == users.sorted())
        #expect(Set(users).count == 7)
        await client.close()
      }
    }
  }

  @Test func `expired reservations are swept, reported and resolved`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      let other = try await database.makeUser()
      try await database.withServer(settings: ["MOCKUPD_SWEEPER_INTERVAL_SECONDS": "1"]) { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          let (held, dispatched) = (UUID(), UUID())
          _ = try await client.credits.reserve(for: user, credits: 3, id: held)
          _ = try await client.credits.reserve(for: user, credits: 3, id: dispatched)
          _ = try await client.credits.dispatch(dispatched, of: user)
          try await database.expireReservations()
          // No call touches the user, so only the sweeper can find the expired reservations.
          let states = "SELECT state FROM mockupd.reservations ORDER BY state"
          try await eventually("both have expired") {
            try await database.texts(states) == ["expired", "unresolved"]
          }

          let report = try client.admin.usageReport(order: .held)
          var lines: [UserUsage] = []
          for try await line in report { lines.append(line) }
          #expect(lines.map(\.userID) == [user.wireText, other.wireText])
          #expect(lines.map(\.unresolvedReservations) == [1, 0])
          #expect(try await report.totals().unresolvedReservations == 1)
          let info = try await client.admin.serverInfo()
          #expect(info.unresolvedReservations == 1)
          #expect(info.processID == server.process.processID)
          #expect(info.openConnections == 1)
          #expect(info.callsInFlight == 1)
          #expect(!info.version.isEmpty)

          let resolved = try await client.admin.resolve(dispatched, of: user, credits: 2)
          #expect(resolved.reservation?.state == .committed)
          #expect(resolved.usage?.remainingAnnual == 8)
          #expect(!resolved.replayed)
          #expect(try await client.admin.resolve(dispatched, of: user, credits: 2).replayed)

          let budget = try await client.admin.setBudget(of: user, annual: 5)
          #expect(budget.previousAnnualBudget == 10)
          #expect(budget.usage?.remainingAnnual == 3)
        }
      }
      // The name of the host follows after the peer.
      let changes = """
        SELECT concat_ws(
          ' ', split_part(changed_by, '@', 1), annual_budget,
          (split_part(changed_by, '@', 2) <> '')::text)
        FROM mockupd.budget_changes
        """
      #expect(
        try await database.texts(changes)
          == ["\(getuid()):\(ProcessInfo.processInfo.processIdentifier) 5 true"])
      #expect(try await database.discrepancies().isEmpty)
    }
  }

  @Test func `the sweeper can be turned off`() async throws {
    try await MigratedDatabase.with { database in
      let settings = ["MOCKUPD_SWEEPER_INTERVAL_SECONDS": "0", "MOCKUPD_LOG_LEVEL": "debug"]
      try await database.withServer(settings: settings) { server in
        let errors = try await server.process.waitForErrors { $0.contains("ready") }
        #expect(!errors.contains("sweeper"), "\(errors)")
      }
      try await database.withServer(settings: ["MOCKUPD_LOG_LEVEL": "debug"]) { server in
        _ = try await server.process.waitForErrors { $0.contains("sweeper") }
      }
    }
  }
}
