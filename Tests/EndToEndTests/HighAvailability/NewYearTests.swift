import Foundation
import MockupCore
import MockupDatabase
import Postgres
import TestSupport
import Testing

/// Changes that wait for a lock while the database's clock enters another year.
@Suite struct NewYearTests {
  @Test func `a reservation that waits for a lock over New Year belongs to the new year`()
    async throws
  {
    // An hour before the end of next year, so that the offset is positive.
    let year = Calendar(identifier: .gregorian).component(.year, from: Date()) + 1
    let end = try Date("\(year)-12-31T23:00:00Z", strategy: .iso8601)
    let offset = Int(end.timeIntervalSinceNow)
    try await withTemporaryFolder { folder in
      let clock = "\(folder)/clock"
      @Sendable func setClock(_ seconds: Int) throws {
        try "+\(seconds)".write(toFile: clock, atomically: true, encoding: .utf8)
      }
      try setClock(offset)
      try await PrivatePostgres.with { postgres in
        try await postgres.stop()
        try await postgres.start(environment: OtherClock.environment(offsetIn: clock))
        let user = UUID()
        try await postgres.makeUser(user, annualBudget: 10)
        try await postgres.database.withPool { pool in
          let store = CreditStore(pool: pool)
          let old = try await store.reserve(
            ReservationRequest(userID: user, id: UUID(), credits: 9))
          #expect(old.reservation.period == Period(year: Int32(year), month: 12))

          let waiting = try await postgres.database.withPool { owner in
            let result = try await owner.withTransaction { transaction throws(PostgresError) in
              try await transaction.execute(
                "SELECT FROM mockupd.credit_counters FOR UPDATE")
              let waiting = Task {
                try await store.reserve(
                  ReservationRequest(userID: user, id: UUID(), credits: 10))
              }
              return await Task {
                try await eventually("the reservation waits for the lock") {
                  try await postgres.waitsForLock()
                }
                try setClock(offset + 7200)
                return waiting
              }.result
            }
            return try result.get()
          }
          // The budget of the old year would not be enough.
          let new = try await waiting.value
          #expect(new.admission.isAdmitted)
          #expect(new.reservation.period == Period(year: Int32(year) + 1, month: 1))
        }
        #expect(try await postgres.discrepancies().isEmpty)
      }
    }
  }
}

extension PrivatePostgres {
  fileprivate func waitsForLock() async throws -> Bool {
    try await database.withPool { pool in
      try await pool.query(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
      ) { row throws(PostgresError) in
        try row.decode(Int64.self, at: 0)
      }
    }.first == 1
  }
}
