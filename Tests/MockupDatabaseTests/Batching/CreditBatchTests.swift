import FoundationEssentials
import MockupCore
import Postgres
import TestSupport
import Testing

@testable import MockupDatabase

/// Single changes that the store coalesces into batches, in a real database.
@Suite(.timeLimit(.minutes(15))) struct CreditBatchTests {
  private static let locks = "SELECT FROM mockupd.credit_counters FOR UPDATE"

  /// Runs a closure with a store that writes one batch at a time, and a user who has counters.
  private func withStore(
    limits: (inout BatchLimits) -> Void = { _ in },
    _ body: (LedgerFixture, CreditStore, UUID) async throws -> Void
  ) async throws {
    var batches = BatchLimits()
    batches.shards = 1
    limits(&batches)
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 1000)
      try await ledger.release(try await ledger.reserve(1, for: user).reservation.id, for: user)
      try await ledger.database.withPool { pool in
        try await body(
          ledger, CreditStore(pool: pool, limits: batches, now: { ledger.clock.now }), user)
      }
    }
  }

  /// Waits until a number of changes wait for the batch in flight.
  private func wait(for count: Int, in store: CreditStore) async throws {
    try await eventually("\(count) changes wait") { store.waitingChanges.reduce(0, +) == count }
  }

  private func transactions(_ ledger: LedgerFixture) async throws -> Int {
    let xmins = try await ledger.lines(
      "SELECT count(DISTINCT xmin::text) FROM mockupd.reservations WHERE state = 'held'")
    return xmins.first.flatMap { Int($0) } ?? 0
  }

  @Test func `changes that arrive while a batch is in flight share a transaction`() async throws {
    try await withStore { ledger, store, user in
      let tasks = try await ledger.withLocks(Self.locks) {
        let first = Task {
          try await store.reserve(ReservationRequest(userID: user, id: UUID(), credits: 1))
        }
        try await ledger.waitForBlockedStatements(1)
        let others = (0..<40).map { _ in
          Task { try await store.reserve(ReservationRequest(userID: user, id: UUID(), credits: 2)) }
        }
        try await wait(for: 40, in: store)
        return [first] + others
      }
      var remaining: [Int32] = []
      for task in tasks { remaining.append(try await task.value.admission.remaining) }
      #expect(remaining.first == 999)
      #expect(remaining.dropFirst().sorted(by: >) == (1...40).map { 999 - 2 * $0 })
      #expect(try await transactions(ledger) == 2)
    }
  }

  @Test func `an id retried while its batch is in flight is replayed`() async throws {
    try await withStore { ledger, store, user in
      let request = try ReservationRequest(userID: user, id: UUID(), credits: 5)
      let tasks = try await ledger.withLocks(Self.locks) {
        let first = Task { try await store.reserve(request) }
        try await ledger.waitForBlockedStatements(1)
        let others = (0..<9).map { _ in Task { try await store.reserve(request) } }
        try await wait(for: 9, in: store)
        return [first] + others
      }
      var outcomes: [ReservationOutcome] = []
      for task in tasks { outcomes.append(try await task.value) }
      #expect(outcomes.filter { !$0.isReplayed }.count == 1)
      #expect(Set(outcomes.map(\.admission.remaining)) == [995])
      #expect(try await store.usage(of: user).held == 5)
    }
  }

  @Test func `a change that the database rejects fails alone`() async throws {
    try await withStore { ledger, store, user in
      var ids: [UUID] = []
      for _ in 0..<12 { ids.append(try await ledger.reserve(3, for: user).reservation.id) }
      let reservations = ids
      let tasks = try await ledger.withLocks(Self.locks) {
        func commit(_ index: Int) -> Task<SettlementOutcome, any Error> {
          Task { [id = reservations[index], credits = index == 7 ? Int32(-1) : 3] in
            try await store.settle(
              Settlement(
                userID: user, reservationID: id, action: .commit(id: UUID(), credits: credits)))
          }
        }
        let first = commit(0)
        try await ledger.waitForBlockedStatements(1)
        let others = (1..<12).map(commit)
        try await wait(for: 11, in: store)
        return [first] + others
      }
      var failures: [Int] = []
      for (index, task) in tasks.enumerated() {
        do {
          #expect(try await task.value.charged == 3)
        } catch CreditError.database {
          failures.append(index)
        }
      }
      #expect(failures == [7])
      #expect(try await store.usage(of: user).generation == 33)
    }
  }

  @Test func `a change cancelled before its batch is sent has no effect`() async throws {
    try await withStore { ledger, store, user in
      let (first, others) = try await ledger.withLocks(Self.locks) {
        let first = Task {
          try await store.reserve(ReservationRequest(userID: user, id: UUID(), credits: 1))
        }
        try await ledger.waitForBlockedStatements(1)
        let others = (0..<6).map { _ in
          Task {
            try await store.reserve(ReservationRequest(userID: user, id: UUID(), credits: 10))
          }
        }
        try await wait(for: 6, in: store)
        for task in others.prefix(3) {
          task.cancel()
          await #expect(throws: CreditError.self) { try await task.value }
        }
        return (first, others)
      }
      _ = try await first.value
      for task in others.dropFirst(3) { _ = try await task.value }
      #expect(try await store.usage(of: user).held == 31)
    }
  }

  @Test func `a batch that was sent is written although all of its changes are cancelled`()
    async throws
  {
    try await withStore { ledger, store, user in
      try await ledger.withLocks(Self.locks) {
        func reserve() -> Task<ReservationOutcome, any Error> {
          Task { try await store.reserve(ReservationRequest(userID: user, id: UUID(), credits: 1)) }
        }
        let first = reserve()
        try await ledger.waitForBlockedStatements(1)
        let tasks = [first, reserve(), reserve()]
        try await wait(for: 2, in: store)
        for task in tasks { task.cancel() }
        // They end although the counters are still locked.
        for task in tasks { await #expect(throws: CreditError.self) { try await task.value } }
        try await ledger.waitForBlockedStatements(1)
      }
      #expect(
        try await store.reserve(
          ReservationRequest(userID: user, id: UUID(), credits: 1)
        ).admission.isAdmitted)
      #expect(try await store.usage(of: user).held == 2)
    }
  }

  @Test func `a change beyond the queue limit is rejected and the others are written`() async throws
  {
    try await withStore(limits: { $0.waiting = 5 }) { ledger, store, user in
      let (tasks, refusals) = try await ledger.withLocks(Self.locks) {
        let first = Task {
          try await store.reserve(ReservationRequest(userID: user, id: UUID(), credits: 1))
        }
        try await ledger.waitForBlockedStatements(1)
        let waiting = (0..<5).map { _ in
          Task { try await store.reserve(ReservationRequest(userID: user, id: UUID(), credits: 1)) }
        }
        try await wait(for: 5, in: store)
        var refusals = 0
        for _ in 0..<3 {
          do {
            _ = try await store.reserve(ReservationRequest(userID: user, id: UUID(), credits: 1))
          } catch CreditError.database(let error) where error.code == .queueFull {
            refusals += 1
          }
        }
        return ([first] + waiting, refusals)
      }
      #expect(refusals == 3)
      for task in tasks { #expect(try await task.value.admission.isAdmitted) }
      #expect(try await store.usage(of: user).held == 6)
    }
  }

  /// The batch mixes reservations, settlements and a refund.
  @Test func `a batch of different kinds of change applies each change`() async throws {
    try await withStore { ledger, store, user in
      let charged = UUID()
      try await ledger.reserve(10, for: user, id: charged)
      try await ledger.commit(of: charged, for: user)
      let entry = try #require(try await ledger.entries(of: user).last?.id)
      let committed = try await ledger.reserve(4, for: user).reservation.id
      let released = try await ledger.reserve(5, for: user).reservation.id
      try await ledger.withLocks(Self.locks) {
        let first = Task {
          try await store.reserve(ReservationRequest(userID: user, id: UUID(), credits: 1))
        }
        try await ledger.waitForBlockedStatements(1)
        return [
          Task { _ = try await first.value },
          Task { _ = try await store.reserve(.init(userID: user, id: UUID(), credits: 2)) },
          Task {
            _ = try await store.settle(
              Settlement(
                userID: user, reservationID: committed, action: .commit(id: UUID(), credits: nil)))
          },
          Task {
            _ = try await store.refund(
              Refund(userID: user, id: UUID(), entryID: entry, credits: 3))
          },
          Task {
            _ = try await store.settle(
              Settlement(userID: user, reservationID: released, action: .release))
          },
        ]
      }.awaitAll()
      let usage = try await store.usage(of: user)
      #expect((usage.held, usage.generation, usage.refund) == (3, 14, 3))
    }
  }
}

extension [Task<Void, any Error>] {
  fileprivate func awaitAll() async throws {
    for task in self { try await task.value }
  }
}
