import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct SetBudgetTests {
  private func guardrails(of user: UUID, in ledger: LedgerFixture) async throws -> [String] {
    try await ledger.lines("SELECT guardrails FROM user_settings WHERE user_id = '\(user)'")
  }

  private func changes(in ledger: LedgerFixture) async throws -> [String] {
    try await ledger.lines(
      """
      SELECT concat_ws(' ', changed_by, previous_annual_budget, '->', annual_budget,
        previous_monthly_soft_limit, '->', monthly_soft_limit,
        coalesce(previous_guardrails, 'null'))
      FROM mockupd.budget_changes ORDER BY id
      """)
  }

  @Test func `omitted limits and unrelated settings keep their values`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user()
      try await ledger.setGuardrails(
        #"{"theme": {"dark": true}, "monthly_mockup_soft_limit": "7"}"#, of: user)
      try await ledger.reserve(4, for: user)
      let first = try await admin.setBudget(
        of: user, annualBudget: 10, monthlySoftLimit: nil, changedBy: "0:1")
      #expect(first.previousAnnualBudget == 3500)
      #expect(first.previousMonthlySoftLimit == 7)
      #expect(first.usage == (try await ledger.store.usage(of: user)))
      #expect(first.usage.available == 6)
      let second = try await admin.setBudget(
        of: user, annualBudget: nil, monthlySoftLimit: 0, changedBy: "0:2")
      #expect(second.previousAnnualBudget == 10)
      #expect(second.usage.annualBudget == 10)
      #expect(second.usage.softLimitIsPassed)
      #expect(
        try await guardrails(of: user, in: ledger) == [
          #"{"theme": {"dark": true}, "annual_mockup_budget": 10, "monthly_mockup_soft_limit": 0}"#
        ])
      #expect(
        try await changes(in: ledger) == [
          #"0:1 3500 -> 10 7 -> 7 {"theme": {"dark": true}, "monthly_mockup_soft_limit": "7"}"#,
          #"0:2 10 -> 10 7 -> 0 {"theme": {"dark": true}, "#
            + #""annual_mockup_budget": 10, "monthly_mockup_soft_limit": "7"}"#,
        ])
    }
  }

  @Test(arguments: [nil, "null", "[1, 2]", #""annual_mockup_budget""#, "12"] as [String?])
  func `settings that are not an object are replaced and kept in the change record`(
    guardrails: String?
  ) async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user()
      try await ledger.run("ALTER TABLE user_settings ALTER COLUMN guardrails DROP NOT NULL")
      let value = guardrails.map { "'\($0)'" } ?? "NULL"
      try await ledger.run("UPDATE user_settings SET guardrails = \(value)")
      let outcome = try await admin.setBudget(
        of: user, annualBudget: 12, monthlySoftLimit: nil, changedBy: "0:1")
      #expect(outcome.previousAnnualBudget == 3500)
      #expect(outcome.usage.annualBudget == 12)
      #expect(try await self.guardrails(of: user, in: ledger) == [#"{"annual_mockup_budget": 12}"#])
      #expect(
        try await changes(in: ledger) == ["0:1 3500 -> 12 292 -> 292 \(guardrails ?? "null")"])
    }
  }

  @Test func `a user without settings gets a settings row`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user()
      try await ledger.run("DELETE FROM user_settings")
      _ = try await admin.setBudget(
        of: user, annualBudget: 1, monthlySoftLimit: 2, changedBy: "0:1")
      let usage = try await ledger.store.usage(of: user)
      #expect(usage.annualBudget == 1)
      #expect(usage.monthlySoftLimit == 2)
    }
  }

  private static let sameBudgets: [(guardrails: String, annual: Int32?, monthly: Int32?)] = [
    (#"{"annual_mockup_budget": 5}"#, 5, nil),
    (#"{"annual_mockup_budget": 5}"#, 5, 292),
    (#"{"annual_mockup_budget": 5}"#, nil, nil),
    (#"{}"#, 3500, nil),
    (#"{}"#, nil, 292),
    (#"{"annual_mockup_budget": "3500", "monthly_mockup_soft_limit": " 4 "}"#, 3500, 4),
    (#"{"annual_mockup_budget": 3400.9, "monthly_mockup_soft_limit": "abc"}"#, 3400, 292),
    (#"[1, 2]"#, 3500, 292),
    (#"null"#, 3500, nil),
  ]

  @Test(arguments: sameBudgets)
  func `setting values that the user has changes nothing and leaves no change record`(
    guardrails: String, annual: Int32?, monthly: Int32?
  ) async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user()
      try await ledger.setGuardrails(guardrails, of: user)
      let usage = try await ledger.store.usage(of: user)
      let outcome = try await admin.setBudget(
        of: user, annualBudget: annual, monthlySoftLimit: monthly, changedBy: "0:1")
      #expect(outcome.usage == usage)
      #expect(outcome.previousAnnualBudget == usage.annualBudget)
      #expect(outcome.previousMonthlySoftLimit == usage.monthlySoftLimit)
      #expect(try await self.guardrails(of: user, in: ledger) == [guardrails])
      #expect(try await changes(in: ledger).isEmpty)
    }
  }

  @Test(arguments: [(nil, nil), (3500, nil), (3500, 292)] as [(Int32?, Int32?)])
  func `setting the defaults of a user without settings makes no settings row`(
    annual: Int32?, monthly: Int32?
  ) async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user()
      try await ledger.run("DELETE FROM user_settings")
      let outcome = try await admin.setBudget(
        of: user, annualBudget: annual, monthlySoftLimit: monthly, changedBy: "0:1")
      #expect(outcome.previousAnnualBudget == 3500)
      #expect(outcome.previousMonthlySoftLimit == 292)
      #expect(outcome.usage.annualBudget == 3500)
      #expect(try await guardrails(of: user, in: ledger).isEmpty)
      #expect(try await changes(in: ledger).isEmpty)
    }
  }

  @Test func `setting the budget of an unknown user is an error`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let unknown = UUID()
      let error = await #expect(throws: CreditError.self) {
        try await admin.setBudget(
          of: unknown, annualBudget: 5, monthlySoftLimit: nil, changedBy: "0:1")
      }
      guard case .unknownUser(unknown)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      let counters = try await ledger.lines("SELECT user_id FROM mockupd.credit_counters")
      #expect(counters.isEmpty)
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `a concurrent reservation is in the result or is refused`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      for _ in 0..<8 {
        let user = try await ledger.user(budget: 10)
        try await ledger.release(try await ledger.reserve(1, for: user).reservation.id, for: user)
        // Both calls wait for the user's counters before either gets them.
        let lock = "SELECT FROM mockupd.credit_counters WHERE user_id = '\(user)' FOR UPDATE"
        let (setting, spending) = try await ledger.withLocks(lock) {
          let setting = Task {
            try await admin.setBudget(
              of: user, annualBudget: 3, monthlySoftLimit: nil, changedBy: "0:1")
          }
          let spending = Task { try await ledger.reserve(8, for: user) }
          try await ledger.waitForBlockedStatements(2)
          return (setting, spending)
        }
        let outcome = try await setting.value
        let isAdmitted = try await spending.value.admission.isAdmitted
        #expect(outcome.usage.held == (isAdmitted ? 8 : 0))
        #expect(outcome.usage.annualBudget == 3)
      }
    }
  }
}
