import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

@Suite struct SweepTests {
  private func states(in ledger: LedgerFixture) async throws -> [String] {
    try await ledger.lines("SELECT state FROM mockupd.reservations ORDER BY expires_at, state")
  }

  @Test func `a sweep expires reservations once they are due`() async throws {
    try await LedgerFixture.with { ledger in
      try await ledger.withSweepers(1) { sweepers in
        let user = try await ledger.user()
        for seconds in [60, 61] { try await ledger.reserve(3, for: user, seconds: seconds) }
        ledger.clock.advance(by: 59)
        #expect(try await sweepers[0].sweepReservations(limit: 10).expired == 0)
        ledger.clock.advance(by: 1)
        #expect(try await sweepers[0].sweepReservations(limit: 10).expired == 1)
        #expect(try await states(in: ledger) == ["expired", "held"])
        #expect(try await ledger.lines("SELECT held FROM mockupd.credit_counters") == ["3"])
        #expect(try await sweepers[0].sweepReservations(limit: 10).expired == 0)
      }
    }
  }

  @Test func `a batch takes the users whose reservations have been due longest`() async throws {
    try await LedgerFixture.with { ledger in
      try await ledger.withSweepers(1) { sweepers in
        for seconds in [70, 60, 80] {
          try await ledger.reserve(1, for: try await ledger.user(), seconds: seconds)
        }
        ledger.clock.advance(by: 100)
        for left in [["expired", "held", "held"], ["expired", "expired", "held"]] {
          #expect(try await sweepers[0].sweepReservations(limit: 1).expired == 1)
          #expect(try await states(in: ledger) == left)
        }
      }
    }
  }

  @Test func `a sweep expires reservations of a past year`() async throws {
    try await LedgerFixture.with(at: "2025-12-31T23:59:00Z") { ledger in
      try await ledger.withSweepers(1) { sweepers in
        let user = try await ledger.user()
        try await ledger.reserve(3, for: user, seconds: 60)
        try ledger.clock.set("2026-01-01T00:01:00Z")
        try await ledger.reserve(4, for: user, seconds: 60)
        ledger.clock.advance(by: 60)
        #expect(try await sweepers[0].sweepReservations(limit: 10).expired == 2)
        #expect(try await states(in: ledger) == ["expired", "expired"])
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `concurrent sweepers expire each reservation once`() async throws {
    try await LedgerFixture.with { ledger in
      for _ in 0..<20 {
        let user = try await ledger.user()
        for _ in 0..<5 { try await ledger.reserve(2, for: user, seconds: 60) }
      }
      ledger.clock.advance(by: 60)
      try await ledger.withSweepers(4) { sweepers in
        let swept = try await withThrowingTaskGroup(of: Int.self) { group in
          for sweeper in sweepers {
            group.addTask {
              var swept = 0
              while try await !ledger.lines(
                "SELECT 1 FROM mockupd.reservations WHERE state = 'held' LIMIT 1"
              ).isEmpty {
                swept += try await sweeper.sweepReservations(limit: 3).expired
              }
              return swept
            }
          }
          return try await group.reduce(0, +)
        }
        #expect(swept == 100)
        #expect(
          try await ledger.lines("SELECT DISTINCT held FROM mockupd.credit_counters") == ["0"])
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `a sweep skips users whose counters are locked`() async throws {
    try await LedgerFixture.with { ledger in
      try await ledger.withSweepers(1) { sweepers in
        let busy = try await ledger.user()
        let idle = try await ledger.user()
        // A locked user does not count towards the limit, although it has been due longest.
        for _ in 0..<3 { try await ledger.reserve(1, for: busy, seconds: 60) }
        try await ledger.reserve(1, for: idle, seconds: 70)
        ledger.clock.advance(by: 100)
        let lock =
          "SELECT FROM mockupd.credit_counters WHERE user_id = '\(busy)' FOR NO KEY UPDATE"
        let swept = try await ledger.withLocks(lock) {
          [
            try await sweepers[0].sweepReservations(limit: 1).expired,
            try await sweepers[0].sweepReservations(limit: 1).expired,
          ]
        }
        #expect(swept == [1, 0])
        #expect(try await states(in: ledger) == ["held", "held", "held", "expired"])
        #expect(try await sweepers[0].sweepReservations(limit: 1).expired == 3)
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `a lock on one year of a user does not block another year`() async throws {
    try await LedgerFixture.with(at: "2025-12-31T23:59:00Z") { ledger in
      try await ledger.withSweepers(1) { sweepers in
        let user = try await ledger.user()
        let other = try await ledger.user()
        try await ledger.reserve(1, for: user, seconds: 60)
        try ledger.clock.set("2026-01-01T00:01:00Z")
        try await ledger.reserve(1, for: user, seconds: 60)
        try await ledger.reserve(1, for: other, seconds: 61)
        ledger.clock.advance(by: 100)
        let lock = """
          SELECT FROM mockupd.credit_counters WHERE user_id = '\(user)' AND year = 2026
          FOR NO KEY UPDATE
          """
        let swept = try await ledger.withLocks(lock) {
          try await sweepers[0].sweepReservations(limit: 10).expired
        }
        #expect(swept == 2)
        #expect(try await states(in: ledger) == ["expired", "held", "expired"])
      }
    }
  }

  /// A commit leaves `due_at` set, so most counters that a sweep finds have nothing to expire.
  @Test func `a sweep clears years without open reservations in bounded transactions`() async throws
  {
    try await LedgerFixture.with { ledger in
      try await ledger.run(
        """
        WITH made AS (
          INSERT INTO auth.users (id) SELECT gen_random_uuid() FROM generate_series(1, 250)
          RETURNING id)
        INSERT INTO mockupd.credit_counters (user_id, year, due_at)
        SELECT id, 2026, timestamptz '2026-05-10 11:00:00Z' + row_number() OVER () * interval '1 s'
        FROM made
        """)
      let due = "SELECT count(*) FROM mockupd.credit_counters WHERE due_at < 'infinity'"
      try await ledger.withSweepers(1) { sweepers in
        var cursor: Date?
        for (examined, left) in [(100, "150"), (100, "50"), (50, "0"), (0, "0")] {
          let batch = try await sweepers[0].sweepReservations(after: cursor, limit: 100)
          #expect(batch.examined == examined)
          #expect(batch.expired == 0)
          #expect(try await ledger.lines(due) == [left])
          cursor = batch.cursor
        }
      }
    }
  }

  @Test(.timeLimit(.minutes(5)))
  func `a batch locks no more users than its limit`() async throws {
    try await LedgerFixture.with { ledger in
      for _ in 0..<3 { try await ledger.reserve(1, for: try await ledger.user(), seconds: 60) }
      let last = try await ledger.user()
      try await ledger.reserve(1, for: last, seconds: 70)
      ledger.clock.advance(by: 100)
      try await ledger.withSweepers(1) { sweepers in
        // The sweep of the last user blocks halfway and keeps its locks.
        let lock = "SELECT FROM mockupd.reservations WHERE user_id = '\(last)' FOR UPDATE"
        let free = "SELECT 1 FROM mockupd.credit_counters FOR NO KEY UPDATE SKIP LOCKED"
        let (first, unlocked, sweep) = try await ledger.withLocks(lock) {
          let first = try await sweepers[0].sweepReservations(limit: 3)
          let sweep = Task { try await sweepers[0].sweepReservations(limit: 3) }
          try await ledger.waitForBlockedStatements(1)
          return (first, try await ledger.lines(free).count, sweep)
        }
        #expect(first.expired == 3)
        #expect(unlocked == 3)
        #expect(try await sweep.value.expired == 1)
      }
    }
  }

  @Test func `a sweep continues after the cursor of its last batch`() async throws {
    try await LedgerFixture.with { ledger in
      for seconds in [60, 70] {
        try await ledger.reserve(1, for: try await ledger.user(), seconds: seconds)
      }
      ledger.clock.advance(by: 100)
      try await ledger.withSweepers(1) { sweepers in
        let middle = ledger.clock.now.addingTimeInterval(-35)
        let behind = try await sweepers[0].sweepReservations(after: middle, limit: 10)
        #expect(behind.expired == 1)
        #expect(try await states(in: ledger) == ["held", "expired"])
        #expect(try await sweepers[0].sweepReservations(limit: 10).expired == 1)
      }
    }
  }
}
