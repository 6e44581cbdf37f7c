import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// The public SQL functions, which use the clock of PostgreSQL.
@Suite struct PublicFunctionTests {
  private func usage(_ user: UUID, _ more: String = "") -> String {
    """
    SELECT concat_ws(' ', total_used, monthly_used, annual_budget, monthly_soft_limit,
      remaining_annual, remaining_monthly)
    FROM get_credit_usage('\(user)'\(more))
    """
  }

  private func reserve(_ user: UUID, _ credits: String) -> String {
    """
    SELECT concat_ws(' ', success, remaining, message)
    FROM reserve_mockup_credits('\(user)', \(credits))
    """
  }

  @Test func `reserve_mockup_credits holds the credits`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let table = [
        ("4", "t 6 Credits reserved successfully."),
        ("7", "f 6 Insufficient credits. 6 remaining."),
        ("6", "t 0 Credits reserved successfully."),
        ("1", "f 0 Insufficient credits. 0 remaining."),
        ("2147483647", "f 0 Insufficient credits. 0 remaining."),
      ]
      for (credits, expected) in table {
        #expect(try await ledger.lines(reserve(user, credits)) == [expected])
      }
    }
  }

  @Test func `the id of a reservation has version 7 and begins with its time`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user()
      _ = try await ledger.lines(reserve(user, "1"))
      _ = try await ledger.lines(reserve(user, "1"))
      let ids = try await ledger.lines(
        """
        SELECT concat_ws(' ',
          substring(id::text FROM '^........-....-(7)...-[89ab]...-............$'),
          -- Made before the lock, after which the time of the reservation is read.
          floor(extract(epoch FROM created_at) * 1000)
            - ('x0000' || substring(replace(id::text, '-', '') FOR 12))::bit(64)::bigint
            BETWEEN 0 AND 900000)
        FROM mockupd.reservations
        """)
      #expect(ids == ["7 t", "7 t"])
      #expect(
        try await ledger.lines(
          "SELECT count(DISTINCT substring(id::text FROM 16)) FROM mockupd.reservations") == ["2"])
    }
  }

  @Test func `the whole budget can be reserved only once`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user()
      #expect(
        try await ledger.lines(reserve(user, "3500")) == ["t 0 Credits reserved successfully."])
      #expect(
        try await ledger.lines(reserve(user, "3500"))
          == ["f 0 Insufficient credits. 0 remaining."])
    }
  }

  @Test(arguments: ["NULL", "0", "-1", "-3500"])
  func `an invalid number of credits reserves nothing`(credits: String) async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      #expect(
        try await ledger.lines(reserve(user, "3")) == ["t 7 Credits reserved successfully."])
      #expect(
        try await ledger.lines(reserve(user, credits)) == ["f 7 Credits must be at least 1."])
      #expect(try await ledger.lines("SELECT sum(held) FROM mockupd.credit_counters") == ["3"])
      #expect(try await ledger.lines("SELECT count(*) FROM mockupd.reservations") == ["1"])
    }
  }

  @Test func `an unknown user has no usage and no credits`() async throws {
    try await LedgerFixture.with { ledger in
      let unknown = UUID()
      #expect(try await ledger.lines(usage(unknown)).isEmpty)
      #expect(try await ledger.lines(reserve(unknown, "1")) == ["f 0 Unknown user."])
      #expect(
        try await ledger.lines("SELECT count(*) FROM get_credit_usage(NULL)") == ["0"])
      #expect(
        try await ledger.lines("SELECT success FROM reserve_mockup_credits(NULL, 1)") == ["false"])
      let counters = try await ledger.lines("SELECT count(*) FROM mockupd.credit_counters")
      #expect(counters == ["0"])
    }
  }

  @Test func `parameters and result columns keep their names`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10, softLimit: 5)
      let names = try await ledger.lines(
        """
        SELECT string_agg(key, ' ' ORDER BY key) FROM get_credit_usage(
          p_user_id => '\(user)', p_year => 2025, p_month => 5) AS u, jsonb_each(to_jsonb(u))
        """)
      #expect(
        names == [
          "annual_budget monthly_soft_limit monthly_used remaining_annual remaining_monthly "
            + "total_used"
        ])
      #expect(
        try await ledger.lines(
          """
          SELECT concat_ws(' ', success, remaining, message)
          FROM reserve_mockup_credits(p_user_id => '\(user)', p_credits => 4)
          """) == ["t 6 Credits reserved successfully."])
    }
  }

  @Test func `the figures equal the usage in the store`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 100, softLimit: 20)
      try ledger.clock.set("2025-12-31T23:59:59Z")
      try await ledger.spend(7, for: user)
      try await ledger.spend(5, for: user, operation: .regeneration)
      try ledger.clock.set("2025-11-10T12:00:00Z")
      try await ledger.spend(30, for: user)
      // total_used monthly_used annual_budget monthly_soft_limit remaining_annual remaining_monthly
      let table =
        [
          (2025, 12, "42 12 100 20 58 8"), (2025, 11, "42 30 100 20 58 0"),
          (2025, 10, "42 0 100 20 58 20"), (2024, 12, "0 0 100 20 100 20"),
          (2025, 13, "42 0 100 20 58 20"), (2025, 0, "42 0 100 20 58 20"),
        ] as [(Int32, Int32, String)]
      for (year, month, expected) in table {
        #expect(try await ledger.lines(usage(user, ", \(year), \(month)")) == [expected])
        let theirs = try await ledger.store.usage(of: user, year: year, month: month)
        let ours = [
          theirs.used, theirs.monthlyUsed, Int64(theirs.annualBudget),
          Int64(theirs.monthlySoftLimit), theirs.remainingAnnual, theirs.remainingMonthly,
        ]
        #expect(ours.map(String.init).joined(separator: " ") == expected)
      }
    }
  }

  @Test func `without a year the functions use the current year`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 100, softLimit: 20)
      // The functions use the clock of PostgreSQL, and so does this store.
      let store = CreditStore(pool: ledger.owner)
      let id = UUID()
      _ = try await store.reserve(ReservationRequest(userID: user, id: id, credits: 7))
      #expect(try await ledger.lines(usage(user)) == ["0 0 100 20 93 13"])
      _ = try await store.settle(
        Settlement(
          userID: user, reservationID: id, action: .commit(id: UUID(), credits: 5)))
      for arguments in ["", ", NULL", ", NULL, NULL", ", p_month => NULL"] {
        #expect(try await ledger.lines(usage(user, arguments)) == ["5 5 100 20 95 15"])
      }
      #expect(
        try await ledger.lines(reserve(user, "95")) == ["t 0 Credits reserved successfully."])
      let left = try await store.usage(of: user)
      #expect(left.held == 95)
      #expect(try await ledger.lines(usage(user)) == ["5 5 100 20 0 0"])
    }
  }

  @Test func `invalid guardrails raise no error`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user()
      try await ledger.setGuardrails(#"{"annual_mockup_budget": "3500.5"}"#, of: user)
      #expect(try await ledger.lines(usage(user)) == ["0 0 3500 292 3500 292"])
      try await ledger.setGuardrails(#"{"annual_mockup_budget": "abc"}"#, of: user)
      #expect(
        try await ledger.lines(reserve(user, "3501"))
          == ["f 3500 Insufficient credits. 3500 remaining."])
      try await ledger.setGuardrails(#"{"annual_mockup_budget": -5}"#, of: user)
      #expect(
        try await ledger.lines(reserve(user, "1")) == ["f 0 Insufficient credits. 0 remaining."])
    }
  }
}
