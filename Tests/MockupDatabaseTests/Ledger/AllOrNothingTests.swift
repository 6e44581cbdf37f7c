import FoundationEssentials
import MockupDatabase
import MockupCore
import Testing

@Suite struct AllOrNothingTests {
  @Test func `either all reservations are made or none`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let ids = (0..<3).map { _ in UUID() }
      let requests = { (credits: [Int32]) in
        try zip(ids, credits).map { try ReservationRequest(userID: user, id: $0, credits: $1) }
      }
      let failed = try await ledger.store.reserve(requests([4, 7, 6]), allOrNothing: true)
      #expect(
        failed.map { summary(of: $0) } == [
          "batch failed", "refused, 6 remaining", "batch failed",
        ])
      // Nothing was stored, so the ids can still be used.
      #expect(try await ledger.lines("SELECT count(*) FROM mockupd.reservations") == ["0"])
      #expect(try await ledger.store.usage(of: user).held == 0)
      let admitted = try await ledger.store.reserve(requests([4, 3, 3]), allOrNothing: true)
      #expect(
        admitted.map { summary(of: $0) } == [
          "admitted, 6 remaining", "admitted, 3 remaining", "admitted, 0 remaining",
        ])
      let again = try await ledger.store.reserve(requests([4, 3, 3]), allOrNothing: true)
      #expect(again.map { summary(of: $0) } == admitted.map { "replayed " + summary(of: $0) })
    }
  }

  @Test func `either all settlements succeed or nothing changes`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (first, second) = (UUID(), UUID())
      try await ledger.reserve(4, for: user, id: first)
      try await ledger.reserve(3, for: user, id: second)
      let settlements = { (credits: Int32) in
        [
          Settlement(userID: user, reservationID: first, action: .commit(id: first, credits: nil)),
          Settlement(userID: user, reservationID: second, action: .dispatch()),
          Settlement(
            userID: user, reservationID: second, action: .commit(id: second, credits: credits)),
        ]
      }
      let failed = try await ledger.store.settle(settlements(4), allOrNothing: true)
      #expect(failed.map { summary(of: $0) } == ["batch failed", "batch failed", "more than 3"])
      #expect(try await ledger.store.reservation(first, of: user).state == .held)
      #expect(try await ledger.store.reservation(second, of: user).state == .held)
      #expect(try await ledger.entries(of: user).isEmpty)
      let done = try await ledger.store.settle(settlements(2), allOrNothing: true)
      #expect(
        done.map { summary(of: $0) } == [
          "committed 4, 3 available", "dispatched 0, 3 available", "committed 2, 4 available",
        ])
    }
  }
}
