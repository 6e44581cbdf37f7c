import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

/// Sums near 2^31 - 1, the largest value of a reservation's columns and message fields.
///
/// Each sum is admitted or refused with its own error.
@Suite struct MaximumTests {
  private static let half: Int32 = 1 << 30

  /// Makes an open reservation of 1 credit that has spent 2^30 credits, all refunded.
  private func spentAndRefunded(of user: UUID, in ledger: LedgerFixture) async throws -> UUID {
    let id = try await ledger.reserve(1, for: user).reservation.id
    try await ledger.commit(Self.half, of: id, for: user, final: false, overrun: true)
    let entry = try #require(try await ledger.entries(of: user).last)
    try await ledger.refund(of: entry.id, for: user)
    return id
  }

  @Test func `the commits of a reservation add up to at most 2^31 - 1`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: Int(Self.half) + 10)
      let id = try await spentAndRefunded(of: user, in: ledger)
      func commit(_ credits: Int32, final isFinal: Bool = false) async throws -> String {
        try await summary {
          try await ledger.commit(credits, of: id, for: user, final: isFinal, overrun: true)
        }
      }
      #expect(try await commit(Self.half) == "beyond the maximum, 1073741824 committed")
      #expect(
        try await commit(Self.half, final: true) == "beyond the maximum, 1073741824 committed")
      #expect(
        try await commit(Self.half - 1) == "held 2147483647 (2147483646 overrun), 11 available")
      #expect(try await commit(1) == "beyond the maximum, 2147483647 committed")
      #expect(try await commit(0) == "held 2147483647 (2147483646 overrun), 11 available")
      #expect(
        try await summary { try await ledger.release(id, for: user) }
          == "committed 2147483647 (2147483646 overrun), 11 available")
    }
  }

  @Test func `a batch checks the maximum for each item`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: Int(Int32.max))
      let id = try await spentAndRefunded(of: user, in: ledger)
      let results = try await ledger.store.settle(
        [Self.half - 2, 2, 1, 1].map { credits in
          Settlement(
            userID: user, reservationID: id,
            action: .commit(id: UUID(), credits: credits, isFinal: false, allowsOverrun: true))
        })
      #expect(
        results.map(summary(of:)) == [
          "held 2147483646 (2147483645 overrun), 1073741825 available",
          "beyond the maximum, 2147483646 committed",
          "held 2147483647 (2147483646 overrun), 1073741824 available",
          "beyond the maximum, 2147483647 committed",
        ])
    }
  }

  @Test func `expired and unresolved reservations have the same maximum`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user(budget: Int(Int32.max))
      let expired = try await spentAndRefunded(of: user, in: ledger)
      let unresolved = try await spentAndRefunded(of: user, in: ledger)
      try await ledger.dispatch(unresolved, for: user)
      ledger.clock.advance(by: 86_400)
      #expect(
        try await summary {
          try await ledger.commit(Self.half, of: expired, for: user, overrun: true)
        } == "beyond the maximum, 1073741824 committed")
      let resolution = Resolution(
        userID: user, reservationID: unresolved, id: UUID(), credits: Self.half,
        allowsOverrun: true)
      #expect(
        try await summary { try await admin.resolve(resolution) }
          == "beyond the maximum, 1073741824 committed")
    }
  }

  @Test func `completing a mockup has the same maximum`() async throws {
    try await WorkerFixture.with { fixture in
      let ledger = fixture.ledger
      let user = try await ledger.user(budget: Int(Int32.max))
      let attempt = try await fixture.claimed(of: user)
      let id = try #require(
        try await fixture.store.mockup(attempt.mockupID, of: user).reservationID)
      try await ledger.commit(Self.half, of: id, for: user, final: false, overrun: true)
      let entry = try #require(try await ledger.entries(of: user).last)
      try await ledger.refund(of: entry.id, for: user)
      #expect(
        try await answer {
          try await fixture.complete(attempt, credits: Self.half, allowsOverrun: true)
        }
          == "exceeds the maximum")
      let completed = try await fixture.complete(
        attempt, credits: Self.half - 1, allowsOverrun: true)
      #expect(completed.mockup.creditsUsed == .max)
    }
  }

  @Test func `sums of the largest budget do not overflow`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user(budget: Int(Int32.max), softLimit: Int(Int32.max))
      // Twice the largest number of credits is charged and refunded in one month.
      for operation in [MockupCore.Operation.generation, .regeneration] {
        try await ledger.spend(.max, for: user, operation: operation)
        let entry = try #require(try await ledger.entries(of: user).last)
        try await ledger.refund(of: entry.id, for: user)
      }
      try await ledger.reserve(.max, for: user)
      let usage = try await ledger.store.usage(of: user)
      #expect(usage.refund == 2 * Int64(Int32.max))
      #expect(usage.available == 0)
      #expect(
        try await summary { try await ledger.reserve(.max, for: user, mode: .bestEffort) }
          == "refused, 0 remaining")
      #expect(try await admin.lines(of: UsageReportQuery()).map(\.usage) == [usage])
      // The function uses the clock of PostgreSQL, by which the reservation has expired.
      #expect(
        try await ledger.lines(
          """
          SELECT concat_ws(' ', total_used, remaining_annual)
          FROM get_credit_usage('\(user)', 2026)
          """) == ["0 2147483647"])
      let changed = try await admin.setBudget(
        of: user, annualBudget: 0, monthlySoftLimit: 0, changedBy: "0:1")
      #expect(changed.usage.available == -Int64(Int32.max))
      #expect(try await admin.lines(of: UsageReportQuery()).map(\.usage) == [changed.usage])
      #expect(
        try await summary { try await ledger.reserve(.max, for: user) }
          == "refused, -2147483647 remaining")
    }
  }
}
