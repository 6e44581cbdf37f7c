import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// Random concurrent calls, with the ledger checked after each of them.
///
/// `MOCKUPD_TEST_SEED=<seed> swift test` repeats the choices of a failed run, but not its timing.
@Suite struct InvariantTests {
  /// A query for all violations at one instant: wrong counters and exceeded budgets.
  private static let violations = """
    SELECT concat_ws(' ', user_id, year, discrepancy) FROM mockupd.verify_counters()
    UNION ALL
    SELECT concat_ws(' ', user_id, year, 'used and held', total, 'of', annual)
    FROM (
      SELECT user_id, year, sum(credits) AS total
      FROM (
        SELECT user_id, year, held AS credits FROM mockupd.reservations
        UNION ALL
        SELECT user_id, year, CASE operation WHEN 'refund' THEN -credits ELSE credits END
        FROM mockup_credit_usage
      ) AS t
      GROUP BY user_id, year
    ) AS t
    JOIN (
      SELECT user_id, (guardrails ->> 'annual_mockup_budget')::int AS annual FROM user_settings
    ) AS b USING (user_id)
    WHERE total > annual
    """

  @Test func `the ledger is consistent at every instant under random concurrent calls`()
    async throws
  {
    let seed = TestSeed.value
    try await LedgerFixture.with(at: "2025-12-31T23:59:50Z") { ledger in
      var users: [UUID] = []
      for number in 0..<5 {
        users.append(try await ledger.user(budget: 30, partition: number))
      }
      let stores = try await ledger.withStores(count: 4) { stores in
        let spenders = try await spend(ledger, stores, users, seed: seed)
        try await check(spenders, against: ledger, seed: seed)
        return stores.count
      }
      #expect(stores == 4)
    }
  }

  private func spend(
    _ ledger: LedgerFixture, _ stores: [CreditStore], _ users: [UUID], seed: UInt64
  ) async throws -> [RandomClient] {
    try await withThrowingTaskGroup(of: RandomClient.self) { group in
      let reservations = KnownReservations()
      for number in 0..<16 {
        group.addTask {
          var spender = RandomClient(
            stores: stores, clock: ledger.clock, users: users, reservations: reservations,
            seed: seed &+ UInt64(number))
          for _ in 0..<60 {
            try await spender.step()
            // One statement sees one snapshot, while the other clients go on.
            let violations = try await ledger.linesOfAll(Self.violations)
            #expect(violations == [], "\(TestSeed.variable)=\(seed)")
          }
          return spender
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
  }

  private func check(
    _ spenders: [RandomClient], against ledger: LedgerFixture, seed: UInt64
  ) async throws {
    let seedComment: Comment = "\(TestSeed.variable)=\(seed)"
    #expect(try await ledger.linesOfAll(Self.violations) == [], seedComment)
    #expect(spenders.flatMap(\.contradictions) == [], seedComment)

    // Each reservation was settled at most once.
    let settled = spenders.flatMap(\.settled)
    let firsts = settled.filter { !$0.1.isReplayed && $0.0.action.isFinal }.map(\.0.reservationID)
    #expect(Set(firsts).count == firsts.count, seedComment)

    // Each retry gets its first answer.
    let reserved = spenders.flatMap(\.reserved)
    for (request, first) in reserved {
      var again = try await ledger.store.reserve(request)
      #expect(again.isReplayed, seedComment)
      again.isReplayed = first.isReplayed
      #expect(again == first, seedComment)
    }
    for (settlement, first) in settled where settlement.action.isKept {
      var again = try await ledger.store.settle(settlement)
      #expect(again.isReplayed, seedComment)
      again.isReplayed = first.isReplayed
      #expect(again == first, seedComment)
    }

    // The calls had every kind of outcome.
    let outcomes = reserved.map(\.1.reservation.state) + settled.map(\.1.reservation.state)
    for state in [ReservationState.held, .refused, .committed, .released, .dispatched] {
      #expect(outcomes.count { $0 == state } > 10, "\(state), \(seedComment)")
    }
    #expect(settled.contains { $0.1.reservation.isLate }, seedComment)
    #expect(spenders.contains { $0.refundCount > 0 }, seedComment)
    #expect(Set(reserved.map(\.1.reservation.period.year)) == [2025, 2026], seedComment)
  }
}

extension Settlement.Action {
  /// True if the action settles a reservation finally.
  fileprivate var isFinal: Bool {
    switch self {
    case .commit(let commit): commit.isFinal
    case .release: true
    case .dispatch, .extend: false
    }
  }

  /// True if the answer is stored, so that a retry replays it.
  fileprivate var isKept: Bool {
    switch self {
    case .commit, .release: true
    case .dispatch, .extend: false
    }
  }
}

extension LedgerFixture {
  /// Runs a closure with several stores, each with its own pool.
  func withStores<Value>(
    count: Int, connections: Int = 2, _ body: ([CreditStore]) async throws -> Value
  ) async throws -> Value {
    try await withStores([], count: count, connections: connections, body)
  }

  private func withStores<Value>(
    _ stores: [CreditStore], count: Int, connections: Int,
    _ body: ([CreditStore]) async throws -> Value
  ) async throws -> Value {
    guard stores.count < count else { return try await body(stores) }
    return try await database.withPool({ $0.connectionCount = connections }) { pool in
      let store = CreditStore(pool: pool, now: { [clock] in clock.now })
      return try await withStores(
        stores + [store], count: count, connections: connections, body)
    }
  }
}
