import FoundationEssentials
import MockupCore
import Postgres
import TestSupport
import Testing

@testable import MockupDatabase

/// Users whose rows another session has locked, such as an operator with an open transaction.
@Suite(.timeLimit(.minutes(15))) struct LockedUserTests {
  private static func lock(of user: UUID) -> String {
    "SELECT FROM mockupd.credit_counters WHERE user_id = '\(user)' FOR UPDATE"
  }

  /// Runs a closure with a locked user, twelve others, and stores with one shard and a
  /// `lock_timeout`.
  private func withStores(
    _ body: (LedgerFixture, Pool, CreditStore, _ locked: UUID, _ others: [UUID]) async throws
      -> Void
  ) async throws {
    try await LedgerFixture.with { ledger in
      var users: [UUID] = []
      for _ in 0..<13 {
        let user = try await ledger.user(budget: 100)
        try await ledger.release(try await ledger.reserve(1, for: user).reservation.id, for: user)
        users.append(user)
      }
      let configure = { (configuration: inout PostgresConfiguration) in
        // A hundred attempts take longer than any test holds the lock.
        configuration.lockTimeout = .seconds(1)
        configuration.connectionCount = 2
      }
      try await ledger.database.withPool(configure) { pool in
        var limits = BatchLimits()
        limits.shards = 1
        let store = CreditStore(pool: pool, limits: limits, now: { ledger.clock.now })
        try await body(ledger, pool, store, users[0], Array(users.dropFirst()))
        #expect(try await store.usage(of: users[0]).held == 5)
        // The user has left the queue of locked users.
        try await eventually("no user is locked") {
          store.batches.lockedUsers.queue(of: users[0]) == nil
        }
      }
    }
  }

  @Test func `a locked user holds up no other user of the shard`() async throws {
    try await withStores { ledger, _, store, locked, others in
      let waiting = try await ledger.withLocks(Self.lock(of: locked)) {
        let first = Task {
          try await store.reserve(ReservationRequest(userID: locked, id: UUID(), credits: 3))
        }
        // These share batches with the locked user's.
        for _ in 0..<3 {
          let outcomes = try await withThrowingTaskGroup(of: ReservationOutcome.self) { group in
            for user in others {
              group.addTask {
                try await store.reserve(ReservationRequest(userID: user, id: UUID(), credits: 1))
              }
            }
            return try await group.reduce(into: []) { $0.append($1) }
          }
          #expect(outcomes.count == others.count)
          #expect(outcomes.allSatisfy { $0.admission.isAdmitted && !$0.isReplayed })
        }
        let second = Task {
          try await store.reserve(ReservationRequest(userID: locked, id: UUID(), credits: 2))
        }
        try await eventually("the locked user waits apart") {
          store.batches.lockedUsers.queue(of: locked) != nil
        }
        return [first, second]
      }
      for task in waiting { #expect(try await task.value.admission.isAdmitted) }
    }
  }

  @Test func `a locked user's settlements and batches wait, and others are settled`() async throws {
    try await withStores { ledger, _, store, locked, others in
      let held = try await store.reserve(
        ReservationRequest(userID: locked, id: UUID(), credits: 9))
      let theirs = try await store.reserve(
        others.map { try ReservationRequest(userID: $0, id: UUID(), credits: 1) })
      let waiting = try await ledger.withLocks(Self.lock(of: locked)) {
        let settled = Task {
          try await store.settle(
            Settlement(
              userID: locked, reservationID: held.reservation.id,
              action: .commit(id: UUID(), credits: 4)))
        }
        let batch = Task {
          try await store.reserve([
            ReservationRequest(userID: locked, id: UUID(), credits: 5)
          ])
        }
        for reserved in theirs {
          let id = try reserved.get().reservation
          _ = try await store.settle(
            Settlement(userID: id.userID, reservationID: id.id, action: .release))
        }
        return (settled, batch)
      }
      #expect(try await waiting.0.value.charged == 4)
      #expect(try await waiting.1.value.count == 1)
    }
  }

  @Test func `cancelling the calls of a locked user has no effect later`() async throws {
    try await withStores { ledger, _, store, locked, others in
      _ = try await store.reserve(ReservationRequest(userID: locked, id: UUID(), credits: 5))
      try await ledger.withLocks(Self.lock(of: locked)) {
        let cancelled = Task {
          try await store.reserve(ReservationRequest(userID: locked, id: UUID(), credits: 7))
        }
        async let other = store.reserve(
          ReservationRequest(userID: others[0], id: UUID(), credits: 1))
        try await eventually("the locked user waits apart") {
          store.batches.lockedUsers.queue(of: locked) != nil
        }
        cancelled.cancel()
        await #expect(throws: CreditError.self) { try await cancelled.value }
        #expect(try await other.admission.isAdmitted)
        // An attempt that is in flight ends at its timeout.
        try await eventually("the queue of the locked user is empty") {
          store.batches.lockedUsers.queue(of: locked) == nil
        }
      }
    }
  }

  @Test(arguments: ["public.mockups WHERE id", "mockupd.mockup_jobs WHERE mockup_id"])
  func `reports of workers about other users are written while a mockup is locked`(
    rows: String
  ) async throws {
    try await withStores { ledger, pool, store, locked, others in
      _ = try await store.reserve(ReservationRequest(userID: locked, id: UUID(), credits: 5))
      var limits = BatchLimits()
      limits.shards = 1
      let fixture = WorkerFixture(
        ledger: ledger,
        store: MockupStore(pool: pool, limits: limits, now: { ledger.clock.now }))
      let mine = try await fixture.claimed(of: locked)
      var attempts: [MockupAttempt] = []
      for other in others { attempts.append(try await fixture.claimed(of: other)) }
      let lock = "SELECT FROM \(rows) = '\(mine.mockupID)' FOR UPDATE"
      let ends = ([mine] + attempts).map { attempt in
        AttemptEnd(
          attempt: attempt, result: .failed(reason: "", mayRetry: false, mayBeCharged: false))
      }
      let waiting = try await ledger.withLocks(lock) {
        let (statement, parameters) = AttemptEnd.findLocked(ends)
        let found = try await pool.query(statement, parameters) { row throws(PostgresError) in
          try row.decode(UUID.self, at: 0)
        }
        #expect(found == [locked])
        let first = Task { try await fixture.complete(mine) }
        try await eventually("the locked user has a queue") {
          fixture.store.attemptEnds.lockedUsers.queue(of: locked) != nil
        }
        let second = Task { try await fixture.complete(mine) }
        for attempt in attempts {
          #expect(try await fixture.complete(attempt).mockup.status == .completed)
        }
        return [first, second]
      }
      var replays = 0
      for task in waiting {
        let outcome = try await task.value
        #expect(outcome.mockup.status == .completed)
        replays += outcome.isReplayed ? 1 : 0
      }
      #expect(replays == 1)
    }
  }

  @Test func `workers claim the mockups of others while a user is locked`() async throws {
    try await withStores { ledger, pool, store, locked, others in
      _ = try await store.reserve(ReservationRequest(userID: locked, id: UUID(), credits: 4))
      let fixture = WorkerFixture(
        ledger: ledger, store: MockupStore(pool: pool, now: { ledger.clock.now }))
      let mine = try await fixture.pending(of: locked)
      ledger.clock.advance(by: 1)
      let other = try await fixture.pending(of: others[0])
      try await ledger.withLocks(Self.lock(of: locked)) {
        let claimed = try await fixture.claim(2)
        #expect(claimed.map(\.mockup.id) == [other])
      }
      #expect(try await fixture.claim(2).map(\.mockup.id) == [mine])
    }
  }

  @Test func `a claim beside a locked user locks no more users than it claims mockups of`()
    async throws
  {
    try await WorkerFixture.with { fixture in
      let ledger = fixture.ledger
      var others: [UUID] = []
      let locked = try await ledger.user()
      _ = try await fixture.pending(of: locked)
      for _ in 0..<3 {
        others.append(try await ledger.user())
        ledger.clock.advance(by: 1)
        _ = try await fixture.pending(of: others[others.count - 1])
      }
      let now = ledger.clock.now.formatted(.iso8601)
      let claim = "SELECT FROM mockupd.claim_mockups('\(now)', 'w', 1, 60, 1000000, true)"
      try await ledger.withLocks(Self.lock(of: locked)) {
        try await ledger.withLocks(claim) {
          let free = try await ledger.lines(
            """
            SELECT count(*) FROM (
              SELECT FROM mockupd.credit_counters
              WHERE user_id IN ('\(others[0])', '\(others[1])', '\(others[2])')
              FOR UPDATE SKIP LOCKED) AS c
            """)
          #expect(free == ["2"])
        }
      }
    }
  }
}
