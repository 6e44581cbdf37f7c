import FoundationEssentials
import MockupStore
import Mockups
import TestSupport
import Testing

@Suite struct SetBudgetTests {
  private func guardrails(of user: UUID, in books: Books) async throws -> [String] {
    try await books.lines("SELECT guardrails FROM user_settings WHERE user_id = '\(user)'")
  }

  private func changes(in books: Books) async throws -> [String] {
    try await books.lines(
      """
      SELECT concat_ws(' ', changed_by, previous_annual_budget, '->', annual_budget,
        previous_monthly_soft_limit, '->', monthly_soft_limit, coalesce(previous_guardrails, 'null'))
      FROM mockupd.budget_changes ORDER BY id
      """)
  }

  @Test func whatIsNotGivenStaysAndSoDoOtherSettings() async throws {
    try await Books.withAdmin { books, admin in
      let user = try await books.user()
      try await books.setGuardrails(
        #"{"theme": {"dark": true}, "monthly_mockup_soft_limit": "7"}"#, of: user)
      try await books.reserve(4, for: user)
      let first = try await admin.setBudget(
        of: user, annualBudget: 10, monthlySoftLimit: nil, changedBy: "0:1")
      #expect(first.previousAnnualBudget == 3500)
      #expect(first.previousMonthlySoftLimit == 7)
      #expect(first.usage == (try await books.store.usage(of: user)))
      #expect(first.usage.available == 6)
      let second = try await admin.setBudget(
        of: user, annualBudget: nil, monthlySoftLimit: 0, changedBy: "0:2")
      #expect(second.previousAnnualBudget == 10)
      #expect(second.usage.annualBudget == 10)
      #expect(second.usage.softLimitIsPassed)
      #expect(
        try await guardrails(of: user, in: books) == [
          #"{"theme": {"dark": true}, "annual_mockup_budget": 10, "monthly_mockup_soft_limit": 0}"#
        ])
      #expect(
        try await changes(in: books) == [
          #"0:1 3500 -> 10 7 -> 7 {"theme": {"dark": true}, "monthly_mockup_soft_limit": "7"}"#,
          #"0:2 10 -> 10 7 -> 0 {"theme": {"dark": true}, "#
            + #""annual_mockup_budget": 10, "monthly_mockup_soft_limit": "7"}"#,
        ])
    }
  }

  @Test(
    "Settings that are no object give way, and are kept in the record",
    arguments: [nil, "null", "[1, 2]", #""annual_mockup_budget""#, "12"] as [String?])
  func malformed(guardrails: String?) async throws {
    try await Books.withAdmin { books, admin in
      let user = try await books.user()
      try await books.run("ALTER TABLE user_settings ALTER COLUMN guardrails DROP NOT NULL")
      let value = guardrails.map { "'\($0)'" } ?? "NULL"
      try await books.run("UPDATE user_settings SET guardrails = \(value)")
      let outcome = try await admin.setBudget(
        of: user, annualBudget: 12, monthlySoftLimit: nil, changedBy: "0:1")
      #expect(outcome.previousAnnualBudget == 3500)
      #expect(outcome.usage.annualBudget == 12)
      #expect(try await self.guardrails(of: user, in: books) == [#"{"annual_mockup_budget": 12}"#])
      #expect(
        try await changes(in: books) == ["0:1 3500 -> 12 292 -> 292 \(guardrails ?? "null")"])
    }
  }

  @Test func aUserWithoutSettingsGetsThem() async throws {
    try await Books.withAdmin { books, admin in
      let user = try await books.user()
      try await books.run("DELETE FROM user_settings")
      _ = try await admin.setBudget(
        of: user, annualBudget: 1, monthlySoftLimit: 2, changedBy: "0:1")
      let usage = try await books.store.usage(of: user)
      #expect(usage.annualBudget == 1)
      #expect(usage.monthlySoftLimit == 2)
    }
  }

  @Test func whatIsSetAlreadyLeavesNoRecord() async throws {
    try await Books.withAdmin { books, admin in
      let user = try await books.user(budget: 5)
      let outcome = try await admin.setBudget(
        of: user, annualBudget: 5, monthlySoftLimit: nil, changedBy: "0:1")
      #expect(outcome.previousAnnualBudget == 5)
      #expect(try await changes(in: books).isEmpty)
    }
  }

  @Test func anUnknownUserHasNoBudget() async throws {
    try await Books.withAdmin { books, admin in
      let nobody = UUID()
      let error = await #expect(throws: CreditError.self) {
        try await admin.setBudget(
          of: nobody, annualBudget: 5, monthlySoftLimit: nil, changedBy: "0:1")
      }
      guard case .unknownUser(nobody)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      let counters = try await books.lines("SELECT user_id FROM mockupd.credit_counters")
      #expect(counters.isEmpty)
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func aSpenderAtTheSameMomentIsInTheAnswerOrHeldToIt() async throws {
    try await Books.withAdmin { books, admin in
      for _ in 0..<8 {
        let user = try await books.user(budget: 10)
        try await books.release(try await books.reserve(1, for: user).reservation.id, for: user)
        // Both want the user's counters before either has them.
        let lock = "SELECT FROM mockupd.credit_counters WHERE user_id = '\(user)' FOR UPDATE"
        let (setting, spending) = try await books.holding(lock) {
          let setting = Task {
            try await admin.setBudget(
              of: user, annualBudget: 3, monthlySoftLimit: nil, changedBy: "0:1")
          }
          let spending = Task { try await books.reserve(8, for: user) }
          try await books.untilWaiting(2)
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
