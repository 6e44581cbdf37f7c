import FoundationEssentials
import MockupStore
import Mockups
import Testing

@Suite struct AllOrNothingTests {
  @Test func reservationsAreAllMadeOrNoneIs() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let ids = (0..<3).map { _ in UUID() }
      let requests = { (credits: [Int32]) in
        try zip(ids, credits).map { try ReservationRequest(userID: user, id: $0, credits: $1) }
      }
      let failed = try await books.store.reserve(requests([4, 7, 6]), allOrNothing: true)
      #expect(
        failed.map { summary(of: $0) } == [
          "batch failed", "refused, 6 remaining", "batch failed",
        ])
      // It left no trace, so the ids may be used yet.
      #expect(try await books.lines("SELECT count(*) FROM mockupd.reservations") == ["0"])
      #expect(try await books.store.usage(of: user).held == 0)
      let admitted = try await books.store.reserve(requests([4, 3, 3]), allOrNothing: true)
      #expect(
        admitted.map { summary(of: $0) } == [
          "admitted, 6 remaining", "admitted, 3 remaining", "admitted, 0 remaining",
        ])
      let again = try await books.store.reserve(requests([4, 3, 3]), allOrNothing: true)
      #expect(again.map { summary(of: $0) } == admitted.map { "replayed " + summary(of: $0) })
    }
  }

  @Test func settlementsAllSucceedOrNothingChanges() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let (first, second) = (UUID(), UUID())
      try await books.reserve(4, for: user, id: first)
      try await books.reserve(3, for: user, id: second)
      let settlements = { (credits: Int32) in
        [
          Settlement(userID: user, reservationID: first, action: .commit(id: first, credits: nil)),
          Settlement(userID: user, reservationID: second, action: .dispatch()),
          Settlement(
            userID: user, reservationID: second, action: .commit(id: second, credits: credits)),
        ]
      }
      let failed = try await books.store.settle(settlements(4), allOrNothing: true)
      #expect(failed.map { summary(of: $0) } == ["batch failed", "batch failed", "more than 3"])
      #expect(try await books.store.reservation(first, of: user).state == .held)
      #expect(try await books.store.reservation(second, of: user).state == .held)
      #expect(try await books.ledger(of: user).isEmpty)
      let done = try await books.store.settle(settlements(2), allOrNothing: true)
      #expect(
        done.map { summary(of: $0) } == [
          "committed 4, 3 available", "dispatched 0, 3 available", "committed 2, 4 available",
        ])
    }
  }
}
