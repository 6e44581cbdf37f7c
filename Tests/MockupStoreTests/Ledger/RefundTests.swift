import FoundationEssentials
import MockupStore
import Mockups
import Testing

@Suite struct RefundTests {
  @Test func aChargeIsGivenBackInPartsAndNoFurther() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let mockup = try await books.mockup(of: user)
      try await books.spend(5, for: user, operation: .regeneration, mockup: mockup)
      let charge = try #require(try await books.ledger(of: user).last)
      let table: [(Int32?, String)] = [
        (6, "more than was charged"), (2, "refunded 2, 7 available"),
        (4, "more than was charged"), (nil, "refunded 3, 10 available"),
        (1, "more than was charged"), (nil, "more than was charged"),
      ]
      for (credits, expected) in table {
        #expect(
          try await summary { try await books.refund(credits, of: charge.id, for: user) }
            == expected)
      }
      let refund = try #require(try await books.ledger(of: user).last)
      #expect(refund.operation == .refund)
      #expect(refund.credits == 3)
      #expect(refund.mockupID == mockup)
      #expect(refund.reservationID == charge.reservationID)
      #expect(refund.refundedEntryID == charge.id)
      #expect(refund.balanceBefore == 7)
      #expect(refund.balanceAfter == 10)
      #expect(try await books.store.usage(of: user).refund == 5)
      #expect(
        try await summary { try await books.refund(of: refund.id, for: user) } == "not a charge")
    }
  }

  @Test func aRefundSentAgainGetsItsFirstAnswer() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      try await books.spend(5, for: user)
      try await books.spend(2, for: user)
      let charges = try await books.ledger(of: user).map(\.id)
      let (part, rest) = (UUID(), UUID())
      let first = try await books.refund(2, of: charges[0], for: user, id: part)
      try await books.refund(of: charges[0], for: user, id: rest)
      books.clock.advance(by: 400 * 86_400)
      var again = try await books.refund(2, of: charges[0], for: user, id: part)
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
          try await summary { try await books.refund(credits, of: charge, for: user, id: id) }
            == expected)
      }
    }
  }

  @Test func whatWasChargedToAMonthIsGivenBackToIt() async throws {
    try await Books.with(at: "2025-11-10T12:00:00Z") { books in
      let user = try await books.user(budget: 10)
      try await books.spend(5, for: user)
      let charge = try #require(try await books.ledger(of: user).last)
      try books.clock.set("2026-02-01T00:00:00Z")
      let outcome = try await books.refund(4, of: charge.id, for: user)
      #expect(outcome.entry.period == Period(year: 2025, month: 11))
      #expect(outcome.entry.createdAt == books.clock.now)
      #expect(outcome.usage.monthlyUsed == 1)
      #expect(try await books.store.usage(of: user, year: 2025, month: 11).monthlyUsed == 1)
      #expect(try await books.store.usage(of: user).refund == 0)
    }
  }

  @Test func refundsOfABatchAreDecidedInItsOrder() async throws {
    try await Books.with { books in
      let (user, other) = (try await books.user(budget: 10), try await books.user(budget: 10))
      try await books.spend(5, for: user)
      try await books.spend(1, for: other)
      let charge = try #require(try await books.ledger(of: user).last).id
      let foreign = try #require(try await books.ledger(of: other).last).id
      let id = UUID()
      let refund = { (id: UUID, entry: UUID, credits: Int32?) in
        Refund(userID: user, id: id, entryID: entry, credits: credits)
      }
      let outcomes = try await books.store.refund([
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

  @Test func refundedCreditsCanBeSpentAgain() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 5)
      try await books.spend(5, for: user)
      #expect(try await summary { try await books.reserve(1, for: user) } == "refused, 0 remaining")
      try await books.refund(
        of: try #require(try await books.ledger(of: user).last).id, for: user)
      #expect(
        try await summary { try await books.reserve(5, for: user) } == "admitted, 0 remaining")
    }
  }
}
