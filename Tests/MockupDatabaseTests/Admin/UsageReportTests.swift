import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct UsageReportTests {
  /// Makes users with random settings, charges and holds, some of them due.
  private func makeUsers(_ count: Int, in ledger: LedgerFixture) async throws -> [UUID] {
    var random = SplitMix64(state: TestSeed.value)
    var users: [UUID] = []
    for number in 0..<count {
      let user = try await ledger.user(
        budget: Bool.random(using: &random) ? .random(in: 0...40, using: &random) : nil,
        softLimit: Bool.random(using: &random) ? .random(in: 0...10, using: &random) : nil,
        partition: number)
      users.append(user)
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        let times = ["2025-12-31T23:00:00Z", "2026-04-10T12:00:00Z", "2026-05-10T12:00:00Z"]
        try ledger.clock.set(times[Int.random(in: 0..<times.count, using: &random)])
        let credits = Int32.random(in: 1...9, using: &random)
        let operation: MockupCore.Operation =
          Bool.random(using: &random) ? .generation : .regeneration
        // Due, or not yet due, at the time of the report.
        let seconds = Bool.random(using: &random) ? 60 : 86_400
        let outcome = try await ledger.reserve(
          credits, for: user, operation: operation, seconds: seconds)
        if outcome.admission.isAdmitted, Bool.random(using: &random) {
          try await ledger.commit(of: outcome.reservation.id, for: user)
        }
      }
      switch Int.random(in: 0..<6, using: &random) {
      case 0:
        try await ledger.run("DELETE FROM user_settings WHERE user_id = '\(user)'", for: user)
      case 1: try await ledger.setGuardrails(#"[{"annual_mockup_budget": 5}]"#, of: user)
      default: break
      }
    }
    try ledger.clock.set("2026-05-10T12:01:00Z")
    return users
  }

  private func usages(
    of users: [UUID], year: Int32?, month: Int32?, in ledger: LedgerFixture
  ) async throws -> [UUID: Usage] {
    var usages: [UUID: Usage] = [:]
    for user in users {
      usages[user] = try await ledger.store.usage(of: user, year: year, month: month)
    }
    return usages
  }

  /// Returns the sort key of a usage, negated where the order is descending.
  private func figure(_ order: UsageReportQuery.Order, _ usage: Usage) -> Int64 {
    switch order {
    case .userID: 0
    case .used: -usage.used
    case .held: -usage.held
    case .available: usage.available
    case .monthlyUsed: -usage.monthlyUsed
    }
  }

  @Test(arguments: [(nil, nil), (2025, 12), (2026, 4), (2027, nil)] as [(Int32?, Int32?)])
  func `each line equals the usage of its user`(year: Int32?, month: Int32?) async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let users = try await makeUsers(20, in: ledger)
      let usages = try await usages(of: users, year: year, month: month, in: ledger)
      for order in UsageReportQuery.Order.allCases {
        let expected = usages.sorted {
          (figure(order, $0.value), $0.key.uuidString)
            < (figure(order, $1.value), $1.key.uuidString)
        }
        let query = UsageReportQuery(year: year, month: month, order: order)
        let lines = try await admin.lines(of: query) { page in
          #expect(page.totals == totals(of: Array(usages.values)))
        }
        #expect(lines.map(\.userID) == expected.map(\.key), "\(order)")
        #expect(lines.map(\.usage) == expected.map(\.value), "\(order)")
      }
    }
  }

  private func totals(of usages: [Usage]) -> UsageTotals {
    var totals = UsageTotals()
    for usage in usages {
      totals.users += 1
      totals.annualBudget += Int64(usage.annualBudget)
      totals.generation += usage.generation
      totals.regeneration += usage.regeneration
      totals.refund += usage.refund
      totals.held += usage.held
      totals.monthlyUsed += usage.monthlyUsed
      totals.monthlyHeld += usage.monthlyHeld
      totals.usersAboveSoftLimit += usage.softLimitIsPassed ? 1 : 0
    }
    return totals
  }

  @Test func `a filter excludes users from the lines and the totals`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let users = try await makeUsers(30, in: ledger)
      let usages = try await usages(of: users, year: nil, month: nil, in: ledger)
      let one = try #require(users.first)
      // A bound that equals one user's value.
      let bound = try #require(usages[one]).available
      let filters: [(UsageReportQuery, (UUID, Usage) -> Bool)] = [
        (UsageReportQuery(onlyActive: true), { $1.used > 0 || $1.held > 0 }),
        (UsageReportQuery(onlySoftLimitPassed: true), { $1.softLimitIsPassed }),
        (UsageReportQuery(availableAtMost: bound), { $1.available <= bound }),
        (UsageReportQuery(availableAtMost: -1), { $1.available <= -1 }),
        (
          UsageReportQuery(onlyActive: true, onlySoftLimitPassed: true, availableAtMost: 30),
          { ($1.used > 0 || $1.held > 0) && $1.softLimitIsPassed && $1.available <= 30 }
        ),
        (UsageReportQuery(userID: one), { id, _ in id == one }),
      ]
      for (query, matches) in filters {
        let expected = usages.filter { matches($0.key, $0.value) }
        var seen: UsageTotals?
        let lines = try await admin.lines(of: query) { seen = $0.totals }
        #expect(Set(lines.map(\.userID)) == Set(expected.keys), "\(query)")
        #expect(lines.count == expected.count, "\(query)")
        #expect(seen == totals(of: Array(expected.values)), "\(query)")
      }
    }
  }

  @Test(arguments: UsageReportQuery.Order.allCases)
  func `an unchanged user is listed once while other users change`(order: UsageReportQuery.Order)
    async throws
  {
    try await LedgerFixture.withAdmin { ledger, admin in
      let unchanged = try await makeUsers(12, in: ledger)
      // They change their positions between pages, and new users appear.
      let changing = [
        try await ledger.user(partition: 0), try await ledger.user(budget: 1000, partition: 1),
      ]
      for user in changing { try await ledger.reserve(5, for: user) }
      let lines = try await admin.lines(of: UsageReportQuery(order: order), pageSize: 2) { _ in
        for user in changing { try await ledger.spend(11, for: user) }
        _ = try await ledger.user()
      }
      let seen = lines.map(\.userID).filter(Set(unchanged).contains)
      #expect(seen.count == unchanged.count)
      #expect(Set(seen) == Set(unchanged))
      if order == .userID {
        for user in changing { #expect(lines.count { $0.userID == user } == 1) }
      }
    }
  }

  @Test func `due reservations hold no credits in the report and no row changes`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user(budget: 10, softLimit: 3)
      try await ledger.reserve(4, for: user, seconds: 60)
      try await ledger.reserve(1, for: user, seconds: 120)
      let rows = "SELECT c::text FROM mockupd.credit_counters AS c"
      let before = try await ledger.lines(rows)
      ledger.clock.advance(by: 60)
      let query = UsageReportQuery(order: .held)
      let line = try #require(try await admin.lines(of: query).first)
      #expect(line.usage.held == 1)
      #expect(line.usage.monthlyHeld == 1)
      #expect(!line.usage.softLimitIsPassed)
      #expect(try await ledger.lines(rows) == before)
    }
  }

  @Test func `an empty report has totals and an unknown user is an error`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let page = try await admin.usageReport(UsageReportQuery(), after: nil, count: 10)
      #expect(page.users.isEmpty)
      #expect(page.totals == UsageTotals())
      #expect(page.period == Period(year: 2026, month: 5))
      let idle = try await ledger.user()
      let query = UsageReportQuery(userID: idle, onlyActive: true)
      #expect(try await admin.lines(of: query).isEmpty)
      let unknown = UUID()
      let error = await #expect(throws: CreditError.self) {
        try await admin.lines(of: UsageReportQuery(userID: unknown))
      }
      guard case .unknownUser(unknown)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }
}
