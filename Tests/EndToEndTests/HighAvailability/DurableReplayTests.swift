import Foundation
import MockupCore
import MockupDatabase
import Postgres
import TestSupport
import Testing

/// Retries whose first call is committed, but perhaps not on a synchronous standby.
@Suite struct DurableReplayTests {
  private struct Call {
    var name: String
    /// Makes the call, and returns whether it was replayed.
    var run: @Sendable () async throws -> Bool
  }

  @Test func `no retry is answered before its first call is on a standby`() async throws {
    try await PrivatePostgres.with { postgres in
      var configuration = postgres.database
      configuration.applicationName = "replay"
      try await configuration.withPool { pool in
        let calls = try await Self.calls(pool, postgres)
        for call in calls {
          let isReplayed = try await call.run()
          #expect(!isReplayed, "\(call.name)")
        }
        // The mockup whose regeneration is retried is gone, and so are those that were generated.
        try await postgres.database.run("DELETE FROM public.mockups WHERE status = 'pending'")
        try await postgres.loseStandby()
        for call in calls {
          let hasEnded = Flag()
          let task = Task {
            defer { hasEnded.set() }
            return try await call.run()
          }
          let waiting = try await postgres.waitForCommit(waitingAs: "replay") { hasEnded.isSet }
          guard let waiting else {
            Issue.record("\(call.name): answered without a standby: \(await task.result)")
            continue
          }
          try await postgres.database.run("SELECT pg_cancel_backend(\(waiting.process))")
          await #expect(throws: (any Error).self, "\(call.name)") { try await task.value }
        }
        try await postgres.restoreStandby()
        for call in calls {
          let isReplayed = try await call.run()
          #expect(isReplayed, "\(call.name)")
        }
      }
    }
  }

  /// Every call that has an idempotency key.
  private static func calls(_ pool: Pool, _ postgres: PrivatePostgres) async throws -> [Call] {
    let user = UUID()
    let assets = [UUID(), UUID()]
    try await postgres.makeUser(user, annualBudget: 1000)
    for asset in assets {
      try await postgres.database.run(
        "INSERT INTO public.assets (id, user_id) VALUES ('\(asset)', '\(user)')")
    }
    let credits = CreditStore(pool: pool)
    let mockups = MockupStore(pool: pool)
    let scenes = SceneStore(pool: pool)
    let admin = AdminStore(pool: pool)
    let performance = PerformanceStore(pool: pool)

    @Sendable func settle(_ id: UUID, _ action: Settlement.Action) async throws -> Bool {
      try await credits.settle(
        Settlement(userID: user, reservationID: id, action: action)
      ).isReplayed
    }
    var calls: [Call] = []

    let request = try ReservationRequest(userID: user, id: UUID(), credits: 2)
    calls.append(Call(name: "reserve") { try await credits.reserve(request).isReplayed })
    let excessive = try ReservationRequest(userID: user, id: UUID(), credits: 5000)
    calls.append(Call(name: "refused") { try await credits.reserve(excessive).isReplayed })

    let (committed, released, unresolved) = (UUID(), UUID(), UUID())
    for id in [committed, released, unresolved] {
      _ = try await credits.reserve(ReservationRequest(userID: user, id: id, credits: 3))
    }
    calls.append(
      Call(name: "commit") { try await settle(committed, .commit(id: committed, credits: 2)) })
    calls.append(Call(name: "release") { try await settle(released, .release) })

    let charged = UUID()
    _ = try await credits.reserve(ReservationRequest(userID: user, id: charged, credits: 3))
    _ = try await settle(charged, .commit(id: charged, credits: 3))
    let entry = try #require(
      try await credits.entries(of: user, after: nil, count: 1).rows.first)
    let refund = Refund(userID: user, id: UUID(), entryID: entry.id, credits: 1)
    calls.append(Call(name: "refund") { try await credits.refund(refund).isReplayed })

    let group = UUID()
    _ = try await credits.reserve(
      ReservationRequest(userID: user, id: UUID(), credits: 1, groupID: group))
    calls.append(
      Call(name: "release group") {
        try await credits.releaseGroup(group, of: user).isReplayed
      })

    _ = try await settle(unresolved, .dispatch())
    try await postgres.database.run(
      """
      WITH moved AS (
        UPDATE mockupd.reservations SET expires_at = now() - interval '1 min'
        WHERE id = '\(unresolved)' RETURNING user_id, year, expires_at)
      UPDATE mockupd.credit_counters AS c SET due_at = moved.expires_at
      FROM moved WHERE c.user_id = moved.user_id AND c.year = moved.year
      """)
    let resolution = Resolution(
      userID: user, reservationID: unresolved, id: UUID(), credits: 1)
    calls.append(Call(name: "resolve") { try await admin.resolve(resolution).isReplayed })

    func attempt(_ asset: UUID) async throws -> MockupAttempt {
      _ = try await mockups.generate(
        GenerationRequest(userID: user, id: UUID(), assetIDs: [asset], scenes: ["bedroom"]))
      let claimed = try #require(
        try await mockups.claim(worker: "w", count: 1, lease: .seconds(600)).first)
      return MockupAttempt(
        userID: user, mockupID: claimed.mockup.id, number: claimed.mockup.attempt)
    }
    let picture = Picture(fileURL: "https://files/1", fileKey: "1")
    let first = try await attempt(assets[0])
    calls.append(
      Call(name: "complete") {
        try await mockups.complete(first, with: picture, credits: nil, allowsOverrun: false)
          .isReplayed
      })
    let second = try await attempt(assets[1])
    calls.append(
      Call(name: "fail") {
        try await mockups.fail(second, because: "broken", mayRetry: false).isReplayed
      })
    let third = try await attempt(assets[0])
    _ = try await mockups.fail(third, because: "broken", mayRetry: false)
    let again = UUID()
    calls.append(
      Call(name: "regenerate") {
        try await mockups.regenerate(
          third.mockupID, of: user, requestID: again, skipsApproval: false, cost: MockupCost()
        ).isReplayed
      })
    let generation = try GenerationRequest(
      userID: user, id: UUID(), assetIDs: assets, scenes: ["home_office"])
    calls.append(Call(name: "generate") { try await mockups.generate(generation).isReplayed })

    let template = SceneTemplateRequest(
      userID: user, id: UUID(), key: "own", name: "Own", vendorID: "dm")
    calls.append(Call(name: "create template") { try await scenes.create(template).isReplayed })

    let batch = PerformanceBatch(
      id: UUID(),
      entries: [PerformanceEntry(userID: user, mockupID: first.mockupID, pins: 1, impressions: 1)])
    calls.append(
      Call(name: "record performance") {
        guard case .recorded(let outcome) = try await performance.record(batch) else {
          return false
        }
        return outcome.isReplayed
      })
    return calls
  }
}
