import Foundation
import Glibc
import MockupClient
import TestSupport
import Testing

/// Durability of reservations and commits when the server is killed.
///
/// To repeat the random choices of a failed run, set `MOCKUPD_TEST_SEED=<seed>`. The exact times of
/// the kills still differ from run to run.
@Suite struct CrashTests {
  @Test func `a reservation survives the kill of its server`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      let id = UUID()
      try await withTemporaryFolder { folder in
        let first = try await RunningServer.start(on: database.service, folder: folder)
        try await MockupClient.withConnection(to: .unixSocket(path: first.socket)) { client in
          var reserved = try await client.credits.reserve(for: user, credits: 4, id: id)
          #expect(await first.stop(by: SIGKILL).exitCode == nil)

          // The same client reconnects to the next server by itself.
          let second = try await RunningServer.start(on: database.service, folder: folder)
          #expect(try await client.credits.reservation(id, of: user) == reserved.reservation)
          reserved.replayed = true
          #expect(
            try await client.credits.reserve(for: user, credits: 4, id: id) == reserved)
          var committed = try await client.credits.commit(id, of: user, credits: 3)
          #expect(committed.committed == 3)
          #expect(committed.remaining == 7)
          #expect(!committed.replayed)
          #expect(await second.stop(by: SIGKILL).exitCode == nil)

          let third = try await RunningServer.start(on: database.service, folder: folder)
          committed.replayed = true
          #expect(try await client.credits.commit(id, of: user, credits: 3) == committed)
          #expect(
            try await client.credits.reserve(for: user, credits: 4, id: id) == reserved)
          #expect(try await client.credits.usage(of: user).totalUsed == 3)
          #expect(await third.stop().exitCode == 0)
        }
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }

  @Test func `no acknowledged call is lost when the server is killed`() async throws {
    var random = SeededGenerator(printingSeedOf: "MOCKUPD_TEST_SEED")
    try await MigratedDatabase.with { database in
      // Some of the later calls exceed the budget and are refused.
      let user = try await database.makeUser(annualBudget: 2000)
      var journal: [JournalEntry] = []
      try await withTemporaryFolder { folder in
        for round in 1...5 {
          let server = try await RunningServer.start(on: database.service, folder: folder)
          let callsUntilKill = Int.random(in: 1...500, using: &random)
          let (answers, answered) = AsyncStream.makeStream(of: Void.self)
          async let killed: Void = {
            var count = 0
            for await _ in answers {
              count += 1
              if count == callsUntilKill { break }
            }
            _ = await server.stop(by: SIGKILL)
          }()
          journal += await CreditLoad(user: user, socket: server.socket)
            .runUntilServerIsGone(seed: random.next()) { answered.yield() }
          answered.finish()
          await killed

          let next = try await RunningServer.start(on: database.service, folder: folder)
          let load = CreditLoad(user: user, socket: next.socket)
          let before = try await database.texts(
            "SELECT id::text FROM mockupd.reservations WHERE user_id = '\(user)'")
          let acknowledged = journal.filter { $0.reservation != nil }.map(\.id.wireText)
          #expect(Set(before).isSuperset(of: acknowledged), "round \(round)")

          journal = try await load.retryAll(journal)
          #expect(try await database.discrepancies().isEmpty, "round \(round)")
          let expected = Int64(journal.reduce(0) { $0 + $1.creditsTaken })
          let usage = try await MockupClient.withConnection(
            to: .unixSocket(path: next.socket)
          ) { try await $0.credits.usage(of: user) }
          #expect(usage.totalUsed + usage.held == expected, "round \(round)")
          #expect(usage.totalUsed == Int64(journal.reduce(0) { $0 + $1.creditsSpent }))
          #expect(usage.remainingAnnual == 2000 - expected)
          #expect(await next.stop().exitCode == 0)
        }
      }
      #expect(journal.count > 5, "the server made too few reservations before it was killed")
      print("\(journal.count) reservations, \(journal.filter { $0.commit != nil }.count) commits")
    }
  }
}
