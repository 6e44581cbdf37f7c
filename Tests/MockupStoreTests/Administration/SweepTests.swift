import FoundationEssentials
import MockupStore
import Mockups
import Postgres
import TestSupport
import Testing

@Suite struct SweepTests {
  private func states(in books: Books) async throws -> [String] {
    try await books.lines("SELECT state FROM mockupd.reservations ORDER BY expires_at, state")
  }

  @Test func whatNobodyTouchesExpiresWhenItsTimeIsOver() async throws {
    try await Books.with { books in
      try await books.withSweepers(1) { sweepers in
        let user = try await books.user()
        for seconds in [60, 61] { try await books.reserve(3, for: user, seconds: seconds) }
        books.clock.advance(by: 59)
        #expect(try await sweepers[0].sweepReservations(limit: 10).expired == 0)
        books.clock.advance(by: 1)
        #expect(try await sweepers[0].sweepReservations(limit: 10).expired == 1)
        #expect(try await states(in: books) == ["expired", "held"])
        #expect(try await books.lines("SELECT held FROM mockupd.credit_counters") == ["3"])
        #expect(try await sweepers[0].sweepReservations(limit: 10).expired == 0)
      }
    }
  }

  @Test func aBatchIsOfThoseWhoHaveWaitedLongest() async throws {
    try await Books.with { books in
      try await books.withSweepers(1) { sweepers in
        for seconds in [70, 60, 80] {
          try await books.reserve(1, for: try await books.user(), seconds: seconds)
        }
        books.clock.advance(by: 100)
        for left in [["expired", "held", "held"], ["expired", "expired", "held"]] {
          #expect(try await sweepers[0].sweepReservations(limit: 1).expired == 1)
          #expect(try await states(in: books) == left)
        }
      }
    }
  }

  @Test func anOldYearIsSweptAsThisOneIs() async throws {
    try await Books.with(at: "2025-12-31T23:59:00Z") { books in
      try await books.withSweepers(1) { sweepers in
        let user = try await books.user()
        try await books.reserve(3, for: user, seconds: 60)
        try books.clock.set("2026-01-01T00:01:00Z")
        try await books.reserve(4, for: user, seconds: 60)
        books.clock.advance(by: 60)
        #expect(try await sweepers[0].sweepReservations(limit: 10).expired == 2)
        #expect(try await states(in: books) == ["expired", "expired"])
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func sweepersBesideEachOtherExpireEachOnce() async throws {
    try await Books.with { books in
      for _ in 0..<20 {
        let user = try await books.user()
        for _ in 0..<5 { try await books.reserve(2, for: user, seconds: 60) }
      }
      books.clock.advance(by: 60)
      try await books.withSweepers(4) { sweepers in
        let swept = try await withThrowingTaskGroup(of: Int.self) { group in
          for sweeper in sweepers {
            group.addTask {
              var swept = 0
              while try await !books.lines(
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
          try await books.lines("SELECT DISTINCT held FROM mockupd.credit_counters") == ["0"])
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func aUserWhomSomebodyIsAtWorkOnIsPassedOver() async throws {
    try await Books.with { books in
      try await books.withSweepers(1) { sweepers in
        let busy = try await books.user()
        let idle = try await books.user()
        // The limit does not go to who cannot be swept, however long he has waited.
        for _ in 0..<3 { try await books.reserve(1, for: busy, seconds: 60) }
        try await books.reserve(1, for: idle, seconds: 70)
        books.clock.advance(by: 100)
        let lock =
          "SELECT FROM mockupd.credit_counters WHERE user_id = '\(busy)' FOR NO KEY UPDATE"
        let swept = try await books.holding(lock) {
          [
            try await sweepers[0].sweepReservations(limit: 1).expired,
            try await sweepers[0].sweepReservations(limit: 1).expired,
          ]
        }
        #expect(swept == [1, 0])
        #expect(try await states(in: books) == ["held", "held", "held", "expired"])
        #expect(try await sweepers[0].sweepReservations(limit: 1).expired == 3)
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func aUserWhoseOtherYearIsLockedIsSweptInThisOne() async throws {
    try await Books.with(at: "2025-12-31T23:59:00Z") { books in
      try await books.withSweepers(1) { sweepers in
        let user = try await books.user()
        let other = try await books.user()
        try await books.reserve(1, for: user, seconds: 60)
        try books.clock.set("2026-01-01T00:01:00Z")
        try await books.reserve(1, for: user, seconds: 60)
        try await books.reserve(1, for: other, seconds: 61)
        books.clock.advance(by: 100)
        let lock = """
          SELECT FROM mockupd.credit_counters WHERE user_id = '\(user)' AND year = 2026
          FOR NO KEY UPDATE
          """
        let swept = try await books.holding(lock) {
          try await sweepers[0].sweepReservations(limit: 10).expired
        }
        #expect(swept == 2)
        #expect(try await states(in: books) == ["expired", "held", "expired"])
      }
    }
  }

  /// Reserving and committing leaves `due_at` behind, so most of what a sweep finds has nothing to expire.
  @Test func `a sweep works off years with nothing open in bounded transactions`() async throws {
    try await Books.with { books in
      try await books.run(
        """
        WITH made AS (
          INSERT INTO auth.users (id) SELECT gen_random_uuid() FROM generate_series(1, 250)
          RETURNING id)
        INSERT INTO mockupd.credit_counters (user_id, year, due_at)
        SELECT id, 2026, timestamptz '2026-05-10 11:00:00Z' + row_number() OVER () * interval '1 s'
        FROM made
        """)
      let due = "SELECT count(*) FROM mockupd.credit_counters WHERE due_at < 'infinity'"
      try await books.withSweepers(1) { sweepers in
        var cursor: Date?
        for (examined, left) in [(100, "150"), (100, "50"), (50, "0"), (0, "0")] {
          let batch = try await sweepers[0].sweepReservations(after: cursor, limit: 100)
          #expect(batch.examined == examined)
          #expect(batch.expired == 0)
          #expect(try await books.lines(due) == [left])
          cursor = batch.cursor
        }
      }
    }
  }

  @Test(.timeLimit(.minutes(5)))
  func `a batch locks no more users than its limit`() async throws {
    try await Books.with { books in
      for _ in 0..<3 { try await books.reserve(1, for: try await books.user(), seconds: 60) }
      let last = try await books.user()
      try await books.reserve(1, for: last, seconds: 70)
      books.clock.advance(by: 100)
      try await books.withSweepers(1) { sweepers in
        // The sweep of the last user stops half-way, with its locks.
        let lock = "SELECT FROM mockupd.reservations WHERE user_id = '\(last)' FOR UPDATE"
        let free = "SELECT 1 FROM mockupd.credit_counters FOR NO KEY UPDATE SKIP LOCKED"
        let (first, unlocked, sweep) = try await books.holding(lock) {
          let first = try await sweepers[0].sweepReservations(limit: 3)
          let sweep = Task { try await sweepers[0].sweepReservations(limit: 3) }
          try await books.untilWaiting(1)
          return (first, try await books.lines(free).count, sweep)
        }
        #expect(first.expired == 3)
        #expect(unlocked == 3)
        #expect(try await sweep.value.expired == 1)
      }
    }
  }

  @Test func `a sweep goes on where its last batch ended`() async throws {
    try await Books.with { books in
      for seconds in [60, 70] {
        try await books.reserve(1, for: try await books.user(), seconds: seconds)
      }
      books.clock.advance(by: 100)
      try await books.withSweepers(1) { sweepers in
        let middle = books.clock.now.addingTimeInterval(-35)
        let behind = try await sweepers[0].sweepReservations(after: middle, limit: 10)
        #expect(behind.expired == 1)
        #expect(try await states(in: books) == ["held", "expired"])
        #expect(try await sweepers[0].sweepReservations(limit: 10).expired == 1)
      }
    }
  }
}
