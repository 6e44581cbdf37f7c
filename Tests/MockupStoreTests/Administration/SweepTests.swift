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
        #expect(try await sweepers[0].sweepReservations(limit: 10) == 0)
        books.clock.advance(by: 1)
        #expect(try await sweepers[0].sweepReservations(limit: 10) == 1)
        #expect(try await states(in: books) == ["expired", "held"])
        #expect(try await books.lines("SELECT held FROM mockupd.credit_counters") == ["3"])
        #expect(try await sweepers[0].sweepReservations(limit: 10) == 0)
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
          #expect(try await sweepers[0].sweepReservations(limit: 1) == 1)
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
        #expect(try await sweepers[0].sweepReservations(limit: 10) == 2)
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
                swept += try await sweeper.sweepReservations(limit: 3)
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
            try await sweepers[0].sweepReservations(limit: 1),
            try await sweepers[0].sweepReservations(limit: 1),
          ]
        }
        #expect(swept == [1, 0])
        #expect(try await states(in: books) == ["held", "held", "held", "expired"])
        #expect(try await sweepers[0].sweepReservations(limit: 1) == 3)
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
          try await sweepers[0].sweepReservations(limit: 10)
        }
        #expect(swept == 2)
        #expect(try await states(in: books) == ["expired", "held", "expired"])
      }
    }
  }
}
