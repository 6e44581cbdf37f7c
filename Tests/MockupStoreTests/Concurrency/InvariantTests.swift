import FoundationEssentials
import MockupStore
import Mockups
import Postgres
import TestSupport
import Testing

/// Repeat a failure's choices, though not its timing, with `MOCKUPD_TEST_SEED=<seed> swift test`.
@Suite struct InvariantTests {
  /// What is wrong in one instant: the ledger against themselves, and against the budgets.
  private static let wrong = """
    SELECT concat_ws(' ', user_id, year, discrepancy) FROM mockupd.verify_counters()
    UNION ALL
    SELECT concat_ws(' ', user_id, year, 'used and held', spoken, 'of', annual)
    FROM (
      SELECT user_id, year, sum(credits) AS spoken
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
    WHERE spoken > annual
    """

  @Test func `the ledger is consistent at every instant under random concurrent calls`()
    async throws
  {
    let seed = TestSeed.value
    try await LedgerFixture.with(at: "2025-12-31T23:59:50Z") { ledger in
      var users: [UUID] = []
      for _ in 0..<5 { users.append(try await ledger.user(budget: 30)) }
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
  ) async throws -> [RandomSpender] {
    try await withThrowingTaskGroup(of: RandomSpender.self) { group in
      let reservations = KnownReservations()
      for number in 0..<16 {
        group.addTask {
          var spender = RandomSpender(
            stores: stores, clock: ledger.clock, users: users, reservations: reservations,
            seed: seed &+ UInt64(number))
          for _ in 0..<60 {
            try await spender.step()
            // One statement sees one instant, in the midst of what the others do.
            let wrong = try await ledger.lines(Self.wrong)
            #expect(wrong == [], "\(TestSeed.variable)=\(seed)")
          }
          return spender
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
  }

  private func check(
    _ spenders: [RandomSpender], against ledger: LedgerFixture, seed: UInt64
  ) async throws {
    let rerun: Comment = "\(TestSeed.variable)=\(seed)"
    #expect(try await ledger.lines(Self.wrong) == [], rerun)
    #expect(spenders.flatMap(\.contradictions) == [], rerun)

    // Each was settled at most once.
    let settled = spenders.flatMap(\.settled)
    let firsts = settled.filter { !$0.1.isReplayed && $0.0.action.isFinal }.map(\.0.reservationID)
    #expect(Set(firsts).count == firsts.count, rerun)

    // And everything that was answered is answered so again.
    let reserved = spenders.flatMap(\.reserved)
    for (request, first) in reserved {
      var again = try await ledger.store.reserve(request)
      #expect(again.isReplayed, rerun)
      again.isReplayed = first.isReplayed
      #expect(again == first, rerun)
    }
    for (settlement, first) in settled where settlement.action.isKept {
      var again = try await ledger.store.settle(settlement)
      #expect(again.isReplayed, rerun)
      again.isReplayed = first.isReplayed
      #expect(again == first, rerun)
    }

    // The load was of the kind that it is meant to be.
    let outcomes = reserved.map(\.1.reservation.state) + settled.map(\.1.reservation.state)
    for state in [ReservationState.held, .refused, .committed, .released, .dispatched] {
      #expect(outcomes.count { $0 == state } > 10, "\(state), \(rerun)")
    }
    #expect(settled.contains { $0.1.reservation.isLate }, rerun)
    #expect(spenders.contains { $0.refundCount > 0 }, rerun)
    #expect(Set(reserved.map(\.1.reservation.period.year)) == [2025, 2026], rerun)
  }
}

extension Settlement.Action {
  /// Whether it settles for good.
  fileprivate var isFinal: Bool {
    switch self {
    case .commit(let commit): commit.isFinal
    case .release: true
    case .dispatch, .extend: false
    }
  }

  /// Whether its answer is kept, and given again whatever has happened since.
  fileprivate var isKept: Bool {
    switch self {
    case .commit, .release: true
    case .dispatch, .extend: false
    }
  }
}

extension LedgerFixture {
  /// Runs a closure with stores on pools of their own.
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
