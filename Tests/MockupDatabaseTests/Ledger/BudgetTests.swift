import FoundationEssentials
import MockupDatabase
import MockupCore
import Testing

@Suite struct BudgetTests {
  private static let readings: [(guardrails: String, annual: Int32, monthly: Int32)] = [
    (#"{"annual_mockup_budget": 10, "monthly_mockup_soft_limit": 4}"#, 10, 4),
    (#"{"annual_mockup_budget": "10", "monthly_mockup_soft_limit": " 4 "}"#, 10, 4),
    (#"{"annual_mockup_budget": "+10"}"#, 10, 292),
    (#"{"annual_mockup_budget": 3400.9, "monthly_mockup_soft_limit": 291.5}"#, 3400, 291),
    (#"{"annual_mockup_budget": "3400.5", "monthly_mockup_soft_limit": "291.5"}"#, 3400, 291),
    (#"{"annual_mockup_budget": "abc", "monthly_mockup_soft_limit": "10 credits"}"#, 3500, 292),
    (#"{"annual_mockup_budget": "", "monthly_mockup_soft_limit": "-"}"#, 3500, 292),
    (#"{"annual_mockup_budget": -5, "monthly_mockup_soft_limit": "-5"}"#, 0, 0),
    (#"{"annual_mockup_budget": 0, "monthly_mockup_soft_limit": 0}"#, 0, 0),
    (
      #"{"annual_mockup_budget": 1e12, "monthly_mockup_soft_limit": 2147483648}"#,
      2_147_483_647, 2_147_483_647
    ),
    (#"{"annual_mockup_budget": 1e99, "monthly_mockup_soft_limit": -1e99}"#, 2_147_483_647, 0),
    (#"{"annual_mockup_budget": 1e300, "monthly_mockup_soft_limit": -1e300}"#, 2_147_483_647, 0),
    (
      #"{"annual_mockup_budget": 1e-300, "monthly_mockup_soft_limit": 4.\#(Self.longFraction)}"#, 0,
      4
    ),
    (#"{"annual_mockup_budget": "1e12"}"#, 3500, 292),
    (#"{"annual_mockup_budget": "NaN", "monthly_mockup_soft_limit": "Infinity"}"#, 3500, 292),
    (#"{"annual_mockup_budget": true, "monthly_mockup_soft_limit": {"is": 4}}"#, 3500, 292),
    (#"{"annual_mockup_budget": [10], "monthly_mockup_soft_limit": []}"#, 3500, 292),
    (#"{"annual_mockup_budget": null, "monthly_mockup_soft_limit": null}"#, 3500, 292),
    // A cast accepts only spaces and digits of ASCII.
    (
      "{\"annual_mockup_budget\": \"\u{2003}5000\", \"monthly_mockup_soft_limit\": \"4\u{A0}\"}",
      3500, 292
    ),
    (
      "{\"annual_mockup_budget\": \"\u{85}10\", \"monthly_mockup_soft_limit\": \"4\u{3000}\"}",
      3500, 292
    ),
    (
      "{\"annual_mockup_budget\": \"\u{663}\u{665}\", \"monthly_mockup_soft_limit\": \"４\"}", 3500,
      292
    ),
    (#"{"annual_mockup_budget": "\t\n10\r\f ", "monthly_mockup_soft_limit": "\u000b4"}"#, 10, 4),
    (#"{"annual_mockup_budget": "10\n10", "monthly_mockup_soft_limit": "4 4"}"#, 3500, 292),
    (#"{"annual_mockup_budgets": 10}"#, 3500, 292),
    (#"{}"#, 3500, 292),
    (#"null"#, 3500, 292),
    (#"[10, 4]"#, 3500, 292),
    (#""10""#, 3500, 292),
    (#"10"#, 3500, 292),
  ]

  private static let longFraction = String(repeating: "1", count: 200)

  @Test func `a budget is truncated to an integer and an invalid budget is the default`()
    async throws
  {
    try await LedgerFixture.with { ledger in
      for (guardrails, annual, monthly) in Self.readings {
        let user = try await ledger.user()
        try await ledger.setGuardrails(guardrails, of: user)
        let usage = try await ledger.store.usage(of: user)
        #expect(usage.annualBudget == annual, "\(guardrails)")
        #expect(usage.monthlySoftLimit == monthly, "\(guardrails)")
        let outcome = try await ledger.reserve(1, for: user)
        #expect(outcome.admission.usage.annualBudget == annual, "\(guardrails)")
        #expect(outcome.admission.isAdmitted == (annual > 0), "\(guardrails)")
      }
    }
  }

  /// An invalid budget of one user affects no other user, and can be replaced.
  @Test(arguments: ["\u{2003}5000", "5000\u{A0}", "\u{663}", "5000\u{FEFF}", "\u{1680}1\u{2029}"])
  func `a budget with non-ASCII characters counts as absent everywhere`(
    budget: String
  ) async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user()
      let other = try await ledger.user(budget: 10)
      try await ledger.setGuardrails("{\"annual_mockup_budget\": \"\(budget)\"}", of: user)
      let id = try await ledger.reserve(5, for: user).reservation.id
      try await ledger.commit(3, of: id, for: user)
      #expect(try await ledger.store.usage(of: user).available == 3497)
      let report = try await admin.lines(of: UsageReportQuery())
      #expect(Set(report.map(\.usage.available)) == [3497, 10])
      #expect(Set(report.map(\.userID)) == [user, other])
      let sql = "SELECT concat_ws(' ', annual_budget, remaining_annual) FROM get_credit_usage"
      #expect(try await ledger.lines("\(sql)('\(user)', 2026)") == ["3500 3497"])
      #expect(
        try await ledger.lines("SELECT success FROM reserve_mockup_credits('\(user)', 1)") == [
          "true"
        ])
      let repaired = try await admin.setBudget(
        of: user, annualBudget: 5000, monthlySoftLimit: nil, changedBy: "0:1")
      #expect(repaired.previousAnnualBudget == 3500)
      #expect(repaired.usage.annualBudget == 5000)
      let changes = try await ledger.lines(
        "SELECT previous_guardrails ->> 'annual_mockup_budget' FROM mockupd.budget_changes")
      #expect(changes == [budget])
    }
  }

  @Test func `a user without settings has the default limits`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      try await ledger.run("DELETE FROM user_settings WHERE user_id = '\(user)'")
      let usage = try await ledger.store.usage(of: user)
      #expect(usage.annualBudget == 3500)
      #expect(usage.monthlySoftLimit == 292)
      #expect(
        try await summary { try await ledger.reserve(3500, for: user) } == "admitted, 0 remaining")
    }
  }

  @Test func `the largest budget can be spent to the last credit`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: Int(Int32.max), softLimit: Int(Int32.max))
      try await ledger.spend(.max, for: user)
      let usage = try await ledger.store.usage(of: user)
      #expect(usage.used == Int64(Int32.max))
      #expect(
        try await summary { try await ledger.reserve(.max, for: user) } == "refused, 0 remaining")
      let entry = try #require(try await ledger.entries(of: user).last)
      #expect(entry.balanceBefore == .max)
      #expect(entry.balanceAfter == 0)
    }
  }

  @Test(
    arguments: [
      ("generation", 2_147_483_647, -6_442_450_931),
      ("refund", 2_147_483_647, 6_442_450_951),
    ] as [(String, Int32, Int64)])
  func `existing sums beyond 32 bits do not overflow`(
    operation: String, credits: Int32, available: Int64
  ) async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(5, for: user, id: id)
      // Rows as they may exist before a migration.
      try await ledger.run(
        """
        INSERT INTO mockup_credit_usage
          (user_id, credits, operation, balance_before, balance_after, year, month, sequence)
        SELECT '\(user)', \(credits), '\(operation)', 0, 0, 2026, 5, n
        FROM generate_series(1, 3) AS n
        """)
      let sign = operation == "refund" ? "-" : ""
      try await ledger.run(
        """
        UPDATE mockupd.credit_counters
        SET \(operation) = 3::bigint * \(credits), entries = 3,
          month_used[5] = \(sign)3::bigint * \(credits)
        """)
      #expect(try await ledger.store.usage(of: user).available == available - 5)
      try await ledger.commit(of: id, for: user)
      let usage = try await ledger.store.usage(of: user)
      #expect(usage.available == available - 5)
      #expect(usage.softLimitIsPassed == (operation == "generation"))
      let admission = try await ledger.reserve(1, for: user).admission
      #expect(admission.isAdmitted == (available > 0))
      #expect(admission.remaining == (available > 0 ? .max : .min))
    }
  }
}
