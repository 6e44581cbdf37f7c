import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// A reservation that a load made, its commit if one was sent, and the responses that arrived.
struct JournalEntry: Sendable {
  let id: UUID
  let credits: Int
  var reservation: ReserveCreditsResponse?
  /// The credits of the commit request, or `nil` if no commit was sent.
  var creditsToCommit: Int?
  var commit: CommitReservationResponse?

  /// The credits that were spent.
  ///
  /// Valid only when all responses have arrived.
  var creditsSpent: Int { Int(commit?.committed ?? 0) }

  /// The credits that were spent or are held.
  ///
  /// Valid only when all responses have arrived.
  var creditsTaken: Int {
    guard reservation?.success == true else { return 0 }
    return commit == nil ? credits : creditsSpent
  }
}

/// A load of reservations and commits from several connections at once.
struct CreditLoad: Sendable {
  private static let connections = 8

  let user: UUID
  let socket: String

  /// Makes calls on each connection until its first error.
  ///
  /// No call is retried.
  ///
  /// - Parameter onAnswer: Runs after each reservation and its commit, if one was sent.
  func runUntilServerIsGone(
    seed: UInt64, onAnswer: @escaping @Sendable () -> Void
  ) async -> [JournalEntry] {
    await withTaskGroup(of: [JournalEntry].self) { group in
      for number in 0..<Self.connections {
        group.addTask {
          var random = SeededGenerator(seed: seed &+ UInt64(number))
          var journal: [JournalEntry] = []
          let configuration = MockupClient.Configuration(retry: .never)
          try? await MockupClient.withConnection(
            to: .unixSocket(path: socket), configuration: configuration
          ) { client in
            while true {
              try await callOnce(client, &journal, &random)
              onAnswer()
            }
          }
          return journal
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
  }

  private func callOnce(
    _ client: MockupClient, _ journal: inout [JournalEntry], _ random: inout SeededGenerator
  ) async throws {
    let last = journal.count
    journal.append(JournalEntry(id: UUID(), credits: Int.random(in: 1...5, using: &random)))
    let reserved = try await client.credits.reserve(
      for: user, credits: journal[last].credits, id: journal[last].id)
    journal[last].reservation = reserved
    guard reserved.success, Int.random(in: 0..<3, using: &random) > 0 else { return }
    let credits = Int.random(in: 1...journal[last].credits, using: &random)
    journal[last].creditsToCommit = credits
    journal[last].commit = try await client.credits.commit(
      journal[last].id, of: user, credits: credits)
  }

  /// Retries every call, in no particular order, and returns the journal with a response to each.
  ///
  /// Expects the same response as before if one had arrived.
  func retryAll(_ journal: [JournalEntry]) async throws -> [JournalEntry] {
    let share = (journal.count + Self.connections - 1) / Self.connections
    return try await withThrowingTaskGroup(of: [JournalEntry].self) { group in
      for start in stride(from: 0, to: journal.count, by: max(share, 1)) {
        let part = journal[start..<min(start + share, journal.count)]
        group.addTask {
          try await MockupClient.withConnection(to: .unixSocket(path: socket)) { client in
            var answered: [JournalEntry] = []
            for call in part { answered.append(try await retry(call, client)) }
            return answered
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private func retry(_ call: JournalEntry, _ client: MockupClient) async throws -> JournalEntry {
    var call = call
    let reserved = try await client.credits.reserve(
      for: user, credits: call.credits, id: call.id)
    if var before = call.reservation {
      before.replayed = true
      #expect(reserved == before)
    } else {
      call.reservation = reserved
    }
    guard let credits = call.creditsToCommit else { return call }
    let committed = try await client.credits.commit(call.id, of: user, credits: credits)
    if var before = call.commit {
      before.replayed = true
      #expect(committed == before)
    } else {
      call.commit = committed
    }
    return call
  }
}
