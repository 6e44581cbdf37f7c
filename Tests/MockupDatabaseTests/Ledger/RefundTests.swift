import FoundationEssentials
import MockupDatabase
import MockupCore
import Testing

@Suite struct RefundTests {
  @Test func `a charge is refunded in parts up to its amount`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let mockup = try await ledger.mockup(of: user)
      try await ledger.spend(5, for: user, operation: .regeneration, mockup: mockup)
      let charge = try #require(try await ledger.entries(of: user).last)
      let table: [(Int32?, String)] = [
        (6, "more than was charged"), (2, "refunded 2, 7 available"),
        (4, "more than was charged"), (nil, "refunded 3, 10 available"),
        (1, "more than was charged"), (nil, "more than was charged"),
      ]
      for (credits, expected) in table {
        #expect(
          try await summary { try await ledger.refund(credits, of: charge.id, for: user) }
            == expected)
      }
      let refund = try #require(try await ledger.entries(of: user).last)
      #expect(refund.operation == .refund)
      #expect(refund.credits == 3)
      #expect(refund.mockupID == mockup)
      #expect(refund.reservationID == charge.reservationID)
      #expect(refund.refundedEntryID == charge.id)
      #expect(refund.balanceBefore == 7)
      #expect(refund.balanceAfter == 10)
      #expect(try await ledger.store.usage(of: user).refund == 5)
      #expect(
        try await summary { try await ledger.refund(of: refund.id, for: user) } == "not a charge")
    }
  }

  @Test func `a retried refund gets its first answer`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      try await ledger.spend(5, for: user)
      try await ledger.spend(2, for: user)
      let charges = try await ledger.entries(of: user).map(\.id)
      let (part, rest) = (UUID(), UUID())
      let first = try await ledger.refund(2, of: charges[0], for: user, id: part)
      try await ledger.refund(of: charges[0], for: user, id: rest)
      ledger.clock.advance(by: 400 * 86_400)
      var again = try await ledger.refund(2, of: charges[0], for: user, id: part)
      #expect(again.isReplayed)
      again.isReplayed = false
      #expect(again == first)
      let table: [(UUID, UUID, Int32?, String)] = [
        (part, charges[0], 1, "conflict in credits"),
        (part, charges[0], nil, "conflict in credits"),
        (part, charges[1], 2, "conflict in entry_id"),
        (rest, charges[0], 3, "replayed refunded 3, 8 available"),
        (rest, charges[0], nil, "replayed refunded 3, 8 available"),
      ]
      for (id, charge, credits, expected) in table {
        #expect(
          try await summary { try await ledger.refund(credits, of: charge, for: user, id: id) }
            == expected)
      }
    }
  }

  @Test func `a refund counts in the month of its charge`() async throws {
    try await LedgerFixture.with(at: "2025-11-10T12:00:00Z") { ledger in
      let user = try await ledger.user(budget: 10)
      try await ledger.spend(5, for: user)
      let charge = try #require(try await ledger.entries(of: user).last)
      try ledger.clock.set("2026-02-01T00:00:00Z")
      let outcome = try await ledger.refund(4, of: charge.id, for: user)
      #expect(outcome.entry.period == Period(year: 2025, month: 11))
      #expect(outcome.entry.createdAt == ledger.clock.now)
      #expect(outcome.usage.monthlyUsed == 1)
      #expect(try await ledger.store.usage(of: user, year: 2025, month: 11).monthlyUsed == 1)
      #expect(try await ledger.store.usage(of: user).refund == 0)
    }
  }

  @Test func `refunds of a batch are decided in order`() async throws {
    try await LedgerFixture.with { ledger in
      let (user, other) = (try await ledger.user(budget: 10), try await ledger.user(budget: 10))
      try await ledger.spend(5, for: user)
      try await ledger.spend(1, for: other)
      let charge = try #require(try await ledger.entries(of: user).last).id
      let foreign = try #require(try await ledger.entries(of: other).last).id
      let id = UUID()
      let refund = { (id: UUID, entry: UUID, credits: Int32?) in
        Refund(userID: user, id: id, entryID: entry, credits: credits)
      }
      let outcomes = try await ledger.store.refund([
        refund(id, charge, 3), refund(UUID(), charge, 3), refund(id, charge, 3),
        refund(UUID(), foreign, 1), refund(UUID(), UUID(), 1), refund(UUID(), charge, nil),
      ])
      #expect(
        outcomes.map { summary(of: $0) } == [
          "refunded 3, 8 available", "more than was charged", "replayed refunded 3, 8 available",
          "unknown entry", "unknown entry", "refunded 2, 10 available",
        ])
    }
  }

  @Test func `refunded credits can be spent again`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 5)
      try await ledger.spend(5, for: user)
      #expect(
        try await summary { try await ledger.reserve(1, for: user) } == "refused, 0 remaining")
      try await ledger.refund(
        of: try #require(try await ledger.entries(of: user).last).id, for: user)
      #expect(
        try await summary { try await ledger.reserve(5, for: user) } == "admitted, 0 remaining")
    }
  }
}
