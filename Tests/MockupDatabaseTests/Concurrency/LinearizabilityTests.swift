import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

/// The answers to concurrent clients are those of some serial order of their calls.
///
/// `MOCKUPD_TEST_SEED=<seed> swift test` repeats the calls of a failed run, but not its timing.
@Suite struct LinearizabilityTests {
  private static let clients = 5

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `concurrent calls of the store are linearizable`(number: UInt64) async throws {
    let seed = TestSeed.value &+ number &* 1000
    try await LedgerFixture.with(at: "2026-05-10T12:00:00Z") { ledger in
      let one = try await ledger.user(budget: 12, partition: 0)
      let other = try await ledger.user(budget: 12, partition: 1)
      let histories = [one, other].map { ($0, HistoryRecorder<LedgerCall, [String]>()) }
      try await ledger.withStores(count: Self.clients, connections: 2) { stores in
        for phase in 0..<3 as Range<UInt64> {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for (userID, history) in histories {
              for (client, store) in stores.enumerated() {
                group.addTask {
                  let caller = LedgerCaller(ledger: ledger, store: store, userID: userID)
                  var maker = try LedgerCallMaker(
                    for: userID, seed: seed &+ phase,
                    client: UInt64(client) &+ (userID == one ? 0 : 100), secondsToLive: 10...90)
                  for _ in 0..<12 {
                    try await caller.make(try maker.next(), by: client, history, &maker.entryIDs)
                  }
                }
              }
            }
            try await group.waitForAll()
          }
          // No call is in flight, so due reservations expire for all following calls.
          ledger.clock.advance(by: 30)
          for (_, history) in histories {
            try await history.record(.advance(seconds: 30), by: 0) { [] }
          }
        }
      }
      for (userID, history) in histories {
        var model = ModelLedger(now: ledger.clock.now.addingTimeInterval(-90))
        model.budgets[userID] = 12
        let checker = LinearizabilityChecker(from: model) { model, call in
          model.answer(call, of: userID)
        }
        let verdict = checker.check(history.calls)
        guard case .linearizable = verdict else {
          Issue.record("\(verdict)\n\(TestSeed.variable)=\(TestSeed.value), history \(number)")
          continue
        }
        // Without overlapping calls the check would prove nothing.
        #expect(
          history.calls.filter { call in
            history.calls.contains {
              $0.start < call.end && call.start < $0.end && $0.start != call.start
            }
          }.count > 20)
      }
    }
  }
}

/// Makes the calls of one user.
private struct LedgerCaller {
  let ledger: LedgerFixture
  let store: CreditStore
  let userID: UUID

  func make(
    _ call: LedgerCall, by client: Int, _ history: HistoryRecorder<LedgerCall, [String]>,
    _ entryIDs: inout [UUID]
  ) async throws {
    var read = entryIDs
    try await history.record(call, by: client) { try await answer(call, &read) }
    entryIDs = read
  }

  private func answer(_ call: LedgerCall, _ entryIDs: inout [UUID]) async throws -> [String] {
    switch call {
    case .reserve(let requests, let allOrNothing):
      // The store coalesces a single request with others.
      if requests.count == 1, !allOrNothing {
        return [try await summary { try await store.reserve(requests[0]) }]
      }
      return try await store.reserve(requests, allOrNothing: allOrNothing).map { summary(of: $0) }
    case .check(let credits):
      let admission = try await store.check(
        ReservationRequest(userID: userID, id: UUID(), credits: credits))
      return [admission.isAdmitted ? "admitted" : "refused"]
    case .settle(let settlements, let allOrNothing):
      if settlements.count == 1, !allOrNothing {
        return [try await summary { try await store.settle(settlements[0]) }]
      }
      return try await store.settle(settlements, allOrNothing: allOrNothing)
        .map { summary(of: $0) }
    case .releaseGroup(let group):
      return [try await summary { try await store.releaseGroup(group, of: userID) }]
    case .refund(let id, _, let entryID, let credits):
      let refund = Refund(userID: userID, id: id, entryID: entryID, credits: credits)
      return [try await summary { try await store.refund(refund) }]
    case .setBudget(let budget):
      let owner = ledger.owners[ledger.database.partition(of: userID)]
      let admin = AdminStore(pool: owner, now: { [clock = ledger.clock] in clock.now })
      let outcome = try await admin.setBudget(
        of: userID, annualBudget: Int32(budget), monthlySoftLimit: nil, changedBy: "a test")
      return ["\(outcome.usage.available) available"]
    case .usage:
      let usage = try await store.usage(of: userID)
      return ["held \(usage.held), \(usage.available) available"]
    case .reservation(let id):
      return [try await Self.line { try await store.reservation(id, of: userID) }]
    case .reservations:
      let page = try await store.reservations(of: userID, after: nil, count: 1000)
      return page.rows.map { Self.line(of: $0) }.sorted()
    case .entries:
      let entries = try await store.export(of: userID, after: nil, count: 1000)
      entryIDs = entries.map(\.id)
      return entries.map {
        ModelLedger.summary(
          of: $0.reservationID, $0.credits, isRefund: $0.operation == .refund)
      }
    case .advance:
      return []
    }
  }

  private static func line(_ body: () async throws -> Reservation) async throws -> String {
    do {
      return line(of: try await body())
    } catch let error as CreditError {
      return error.summary
    }
  }

  private static func line(of reservation: Reservation) -> String {
    ModelLedger.summary(
      reservation.id, reservation.state.rawValue, held: reservation.held,
      committed: reservation.committed)
  }
}
