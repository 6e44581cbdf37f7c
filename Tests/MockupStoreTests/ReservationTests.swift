import FoundationEssentials
import MockupStore
import Mockups
import TestSupport
import Testing

@Suite struct ReservationTests {
  @Test func aReservationIsHeld() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      try await database.withPool { pool in
        let store = CreditStore(pool: pool)
        let outcome = try await store.reserve(
          ReservationRequest(userID: user, id: UUID(), credits: 3))
        #expect(outcome.admission.isAdmitted)
        #expect(outcome.admission.remaining == 7)
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }
}
