import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

@Suite struct RaceTests {
  /// Runs closures concurrently: none locks the counters before all of them wait for the lock.
  private func runConcurrently(
    _ ledger: LedgerFixture, _ bodies: [@Sendable (CreditStore) async throws -> String]
  ) async throws -> [String] {
    try await ledger.withStores(count: bodies.count, connections: 1) { stores in
      let tasks = try await ledger.withLocks("SELECT FROM mockupd.credit_counters FOR UPDATE") {
        let tasks = zip(stores, bodies).map { store, body in Task { try await body(store) } }
        try await ledger.waitForBlockedStatements(tasks.count)
        return tasks
      }
      var answers: [String] = []
      for task in tasks { answers.append(try await task.value) }
      return answers.sorted()
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `one of two concurrent reservations of the whole budget is admitted`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      try await ledger.release(try await ledger.reserve(1, for: user).reservation.id, for: user)
      let reserve: @Sendable (CreditStore) async throws -> String = { store in
        let request = try ReservationRequest(userID: user, id: UUID(), credits: 10)
        return summary(of: .success(try await store.reserve(request)))
      }
      let answers = try await runConcurrently(ledger, [reserve, reserve])
      #expect(answers == ["admitted, 0 remaining", "refused, 0 remaining"])
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `one of three concurrent settlements of a reservation succeeds`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = try await ledger.reserve(4, for: user).reservation.id
      let release: @Sendable (CreditStore) async throws -> String = { store in
        let settlement = Settlement(userID: user, reservationID: id, action: .release)
        return try await summary { try await store.settle(settlement) }
      }
      let commit: @Sendable (CreditStore) async throws -> String = { store in
        let settlement = Settlement(
          userID: user, reservationID: id, action: .commit(id: UUID(), credits: nil))
        return try await summary { try await store.settle(settlement) }
      }
      let answers = try await runConcurrently(ledger, [release, commit, commit])
      #expect(
        answers == [
          "committed 4, 6 available", "not open but committed", "not open but committed",
        ]
          || answers == [
            "not open but released", "not open but released", "released 0, 10 available",
          ])
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `either a late commit or a concurrent reservation gets the expired credits`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let late = try await ledger.reserve(10, for: user, seconds: 60).reservation.id
      ledger.clock.advance(by: 60)
      let reserve: @Sendable (CreditStore) async throws -> String = { store in
        let request = try ReservationRequest(userID: user, id: UUID(), credits: 10)
        return summary(of: .success(try await store.reserve(request)))
      }
      let commit: @Sendable (CreditStore) async throws -> String = { store in
        let settlement = Settlement(
          userID: user, reservationID: late, action: .commit(id: UUID(), credits: nil))
        return try await summary { try await store.settle(settlement) }
      }
      let answers = try await runConcurrently(ledger, [reserve, commit])
      #expect(
        answers == ["admitted, 0 remaining", "insufficient, 0 available"]
          || answers == ["late committed 10, 0 available", "refused, 0 remaining"])
    }
  }

  /// The batch names a reservation of a year without counters when the batch starts.
  ///
  /// A client sends such a batch after its reservation has timed out.
  @Test(.timeLimit(.minutes(15)))
  func `a reservation made while a batch waits is settled under its lock`() async throws {
    try await LedgerFixture.with(at: "2025-12-31T23:59:59Z") { ledger in
      let user = try await ledger.user(budget: 10)
      let mockup = try await ledger.mockup(of: user)
      let old = try await ledger.reserve(1, for: user).reservation.id
      try ledger.clock.set("2026-01-01T00:00:00Z")
      let new = UUID()
      let commits = [old, new].map {
        Settlement(
          userID: user, reservationID: $0, action: .commit(id: UUID(), credits: nil))
      }
      let free = "SELECT 1 FROM mockupd.credit_counters FOR NO KEY UPDATE SKIP LOCKED"
      let (batch, unlocked) = try await ledger.withLocks("SELECT FROM mockups FOR UPDATE") {
        // The batch waits for the old year while a reservation is made in the new one.
        let batch = try await ledger.withLocks("SELECT FROM mockupd.credit_counters FOR UPDATE") {
          let batch = Task { try await ledger.store.settle(commits).map { summary(of: $0) } }
          try await ledger.waitForBlockedStatements(1)
          try await ledger.reserve(4, for: user, id: new, mockup: mockup)
          return batch
        }
        // The batch has decided by now, and waits for the mockup.
        try await ledger.waitUntilIdle()
        return (batch, try await ledger.lines(free).count)
      }
      #expect(unlocked == 0)
      #expect(try await batch.value == ["committed 1, 9 available", "committed 4, 6 available"])
    }
  }

  @Test func `concurrent first requests of a year do not conflict`() async throws {
    try await LedgerFixture.with { ledger in
      try await ledger.withStores(count: 4, connections: 1) { stores in
        for _ in 0..<10 {
          let user = try await ledger.user(budget: 10)
          let admitted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for store in stores {
              group.addTask {
                let request = try ReservationRequest(userID: user, id: UUID(), credits: 6)
                return try await store.reserve(request).admission.isAdmitted
              }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
          }
          #expect(admitted == 1)
        }
      }
    }
  }

  @Test func `batches that name their users in opposite orders do not deadlock`() async throws {
    try await LedgerFixture.with { ledger in
      var users: [UUID] = []
      for number in 0..<8 { users.append(try await ledger.user(partition: number)) }
      let all = users
      try await ledger.withStores(count: 4, connections: 1) { stores in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for (number, store) in stores.enumerated() {
            group.addTask {
              let order = number.isMultiple(of: 2) ? all : all.reversed()
              for _ in 0..<10 {
                let requests = try order.map {
                  try ReservationRequest(userID: $0, id: UUID(), credits: 1)
                }
                _ = try await store.reserve(requests)
                _ = try await store.settle(
                  requests.map {
                    Settlement(userID: $0.userID, reservationID: $0.id, action: .release)
                  })
              }
            }
          }
          try await group.waitForAll()
        }
      }
      // The store retries a batch after a deadlock, so only the statistics show one.
      let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
      #expect(Set(try await ledger.linesOfAll(deadlocks)) == ["0"])
    }
  }

  @Test func `concurrent clients spend a budget to the last credit and no further`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 3500)
      try await ledger.withStores(count: 16, connections: 1) { stores in
        let spent = try await withThrowingTaskGroup(of: Int32.self) { group in
          for store in stores {
            for _ in 0..<16 {
              group.addTask {
                var spent: Int32 = 0
                while true {
                  let request = try ReservationRequest(userID: user, id: UUID(), credits: 7)
                  guard try await store.reserve(request).admission.isAdmitted else { return spent }
                  let outcome = try await store.settle(
                    Settlement(
                      userID: user, reservationID: request.id,
                      action: .commit(id: UUID(), credits: nil)))
                  spent += outcome.reservation.committed
                }
              }
            }
          }
          return try await group.reduce(0, +)
        }
        #expect(spent == 3500)
      }
      let usage = try await ledger.store.usage(of: user)
      #expect(usage.generation == 3500)
      #expect(usage.held == 0)
      let entries = try await ledger.entries(of: user)
      #expect(entries.map(\.sequence) == Array(1...500))
      #expect(entries.map(\.balanceBefore) == (0..<500).map { 3500 - 7 * $0 })
      #expect(entries.last?.balanceAfter == 0)
    }
  }

  /// A settlement locks the counters of the years that exist when it starts.
  ///
  /// It writes to no year that is added while it waits, not even to expire due reservations.
  @Test(.timeLimit(.minutes(15)))
  func `a settlement does not write to a year that it has not locked`() async throws {
    try await LedgerFixture.with(at: "2025-12-31T23:59:00Z") { ledger in
      let (one, other) = (try await ledger.user(budget: 10), try await ledger.user(budget: 10))
      let due = try await ledger.reserve(4, for: one, seconds: 30).reservation.id
      ledger.clock.advance(by: 120)
      let held = try await ledger.reserve(1, for: other).reservation.id
      let shorter = Parameters(
        ledger.clock.now, [one], [UUID()], [Int32(1)], ["generation"], [Int32(60)], [UUID?.none],
        [UUID?.none], ["normal"])
      try await ledger.withStores(count: 1) { stores in
        let settling: Result<Task<[String], any Error>, any Error> =
          try await ledger.owner.withTransaction { reserving throws(PostgresError) in
            do {
              let task = try await ledger.withLocks(
                "SELECT FROM mockupd.credit_counters WHERE user_id = '\(other)' FOR UPDATE"
              ) {
                let task = Task {
                  try await stores[0].settle([
                    Settlement(
                      userID: one, reservationID: due, action: .commit(id: UUID(), credits: nil)),
                    Settlement(userID: other, reservationID: held, action: .release),
                  ]).map { summary(of: $0) }
                }
                try await ledger.waitForBlockedStatements(1)
                try await ledger.reserve(1, for: one, seconds: 900)
                try await reserving.execute(
                  "SELECT FROM mockupd.reserve($1, $2, $3, $4, $5, $6, $7, $8, $9)", shorter)
                return task
              }
              try await ledger.waitUntilIdle()
              return .success(task)
            } catch {
              return .failure(error)
            }
          }
        let answers = try await settling.get().value
        #expect(answers == ["late committed 4, 6 available", "released 0, 10 available"])
      }
    }
  }
}

extension LedgerFixture {
  /// Runs a closure while a transaction of the owner holds the locks of a statement.
  func withLocks<Value>(
    _ locks: String, _ body: () async throws -> Value
  ) async throws -> Value {
    let result: Result<Value, any Error> = try await owner.withTransaction {
      transaction throws(PostgresError) in
      try await transaction.execute(Statement(locks))
      do {
        return .success(try await body())
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Waits until a number of the store's statements wait for a lock.
  func waitForBlockedStatements(_ count: Int) async throws {
    try await eventually("\(count) statements wait for a lock") {
      try await activeStatements(blocked: true) == count
    }
  }

  /// Checks whether a statement of the store waits for a lock.
  func hasBlockedStatement() async throws -> Bool {
    try await activeStatements(blocked: true) > 0
  }

  /// Waits until every statement of the store is done or waits for a lock.
  func waitUntilIdle() async throws {
    try await eventually("each statement is done or waits for a lock") {
      try await activeStatements(blocked: false) == 0
    }
  }

  /// Counts the active statements of the store that wait for a lock, or those that do not.
  ///
  /// `pg_locks` shows a lock as granted once its holder's transaction has ended.
  /// `pg_stat_activity.wait_event` changes later, when the process that waited has woken up.
  private func activeStatements(blocked isBlocked: Bool) async throws -> Int {
    let count = try await lines(
      """
      SELECT count(*) FROM pg_stat_activity AS a
      WHERE datname = current_database() AND usename <> current_user AND state = 'active'
        AND \(isBlocked ? "" : "NOT ")EXISTS (
          SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND NOT l.granted)
      """)
    return count.first.flatMap { Int($0) } ?? 0
  }
}
