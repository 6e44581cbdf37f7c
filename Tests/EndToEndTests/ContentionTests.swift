import Foundation
import MockupClient
import TestSupport
import Testing

/// Many concurrent callers that reserve the last credits of one user.
@Suite struct ContentionTests {
  private static let connections = 16
  private static let callsInFlight = 16
  private static let callsPerTask = 17
  private static let budget = 3500

  @Test func `exactly the budget is granted and each retry gets the same response`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: Self.budget)
      try await database.withServer { server in
        let batches = (0..<Self.connections * Self.callsInFlight).map { _ in
          (0..<Self.callsPerTask).map { _ in UUID() }
        }
        let first = try await Self.reserve(batches, for: user, at: server.socket)
        #expect(first.count > 4096)
        #expect(first.values.allSatisfy { !$0.replayed })
        let granted = first.filter { $0.value.success }
        #expect(granted.count == Self.budget)
        // Each grant reports a different remainder: no credit was granted twice.
        #expect(Set(granted.values.map(\.remaining)) == Set(0..<Int32(Self.budget)))
        #expect(
          first.values.filter { !$0.success }.allSatisfy {
            $0.message == "Insufficient credits. 0 remaining."
          })

        let held = try await database.texts(
          "SELECT id::text FROM mockupd.reservations WHERE state = 'held' AND held = 1")
        #expect(Set(held) == Set(granted.keys.map(\.wireText)))
        #expect(held.count == Self.budget)
        #expect(
          try await database.numbers("SELECT held FROM mockupd.credit_counters")
            == [Int64(Self.budget)])
        #expect(
          try await database.numbers("SELECT count(*) FROM mockupd.reservations")
            == [Int64(first.count)])
        #expect(try await database.discrepancies().isEmpty)
        try await Self.checkUsage(of: user, at: server.socket)

        let before = try await database.ledgerRows()
        var replays = try await Self.reserve(batches, for: user, at: server.socket)
        #expect(replays.values.allSatisfy { $0.replayed })
        for id in replays.keys { replays[id]?.replayed = false }
        #expect(replays == first)
        #expect(try await database.ledgerRows() == before)
      }
    }
  }

  /// Reserves one credit under each id, with one task a batch and one connection for 16 batches.
  private static func reserve(
    _ batches: [[UUID]], for user: UUID, at socket: String
  ) async throws -> [UUID: ReserveCreditsResponse] {
    try await withThrowingTaskGroup(of: [UUID: ReserveCreditsResponse].self) { group in
      for start in stride(from: 0, to: batches.count, by: callsInFlight) {
        let share = batches[start..<start + callsInFlight]
        group.addTask {
          try await MockupClient.withConnection(to: .unixSocket(path: socket)) { client in
            try await reserve(share, for: user, client)
          }
        }
      }
      return try await group.reduce(into: [:]) { all, some in
        all.merge(some) { first, _ in first }
      }
    }
  }

  private static func reserve(
    _ batches: ArraySlice<[UUID]>, for user: UUID, _ client: MockupClient
  ) async throws -> [UUID: ReserveCreditsResponse] {
    try await withThrowingTaskGroup(of: [UUID: ReserveCreditsResponse].self) { group in
      for batch in batches {
        group.addTask {
          var answers: [UUID: ReserveCreditsResponse] = [:]
          for id in batch {
            answers[id] = try await client.credits.reserve(for: user, credits: 1, id: id)
          }
          return answers
        }
      }
      return try await group.reduce(into: [:]) { all, some in
        all.merge(some) { first, _ in first }
      }
    }
  }

  private static func checkUsage(of user: UUID, at socket: String) async throws {
    let ending = try await Program.mockupctl.run(
      ["usage", user.uuidString, "--socket", socket, "--output", "json"])
    #expect(ending.exitCode == 0, "\(ending)")
    let usage = try #require(
      try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any])
    #expect(usage["held"] as? Int == budget)
    #expect(usage["monthly_held"] as? Int == budget)
    #expect(usage["total_used"] as? Int == 0)
    #expect(usage["annual_budget"] as? Int == budget)
    #expect(usage["remaining_annual"] as? Int == 0)
    #expect(usage["soft_limit_passed"] as? Bool == true)
  }
}
