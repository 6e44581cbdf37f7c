import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// A reservation of a load, perhaps its commit, and the answers that came back.
struct LoadedCall: Sendable {
  let id: UUID
  let credits: Int
  var reservation: ReserveCreditsResponse?
  /// How many credits the commit was sent with; nothing where none was sent.
  var creditsToCommit: Int?
  var commit: CommitReservationResponse?

  /// What was spent, once all answers are there.
  var creditsSpent: Int { Int(commit?.committed ?? 0) }

  /// What was spent or is still set aside, once all answers are there.
  var creditsTaken: Int {
    guard reservation?.success == true else { return 0 }
    return commit == nil ? credits : creditsSpent
  }
}

/// Reservations and commits from several connections at once.
struct CreditLoad: Sendable {
  private static let connections = 8

  let user: UUID
  let socket: String

  /// Calls until the first error of each connection. Nothing is sent twice.
  ///
  /// - Parameter onAnswer: Runs after each reservation that was answered.
  func runUntilTheServerIsGone(
    seed: UInt64, onAnswer: @escaping @Sendable () -> Void
  ) async -> [LoadedCall] {
    await withTaskGroup(of: [LoadedCall].self) { group in
      for number in 0..<Self.connections {
        group.addTask {
          var random = SeededGenerator(seed: seed &+ UInt64(number))
          var journal: [LoadedCall] = []
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
    _ client: MockupClient, _ journal: inout [LoadedCall], _ random: inout SeededGenerator
  ) async throws {
    let last = journal.count
    journal.append(LoadedCall(id: UUID(), credits: Int.random(in: 1...5, using: &random)))
    let reserved = try await client.credits.reserve(
      for: user, credits: journal[last].credits, id: journal[last].id)
    journal[last].reservation = reserved
    guard reserved.success, Int.random(in: 0..<3, using: &random) > 0 else { return }
    let credits = Int.random(in: 1...journal[last].credits, using: &random)
    journal[last].creditsToCommit = credits
    journal[last].commit = try await client.credits.commit(
      journal[last].id, of: user, credits: credits)
  }

  /// Sends every call once more, in no particular order, and returns the journal with an answer to each.
  /// An answer that had come before has to come again.
  func sendAllAgain(_ journal: [LoadedCall]) async throws -> [LoadedCall] {
    let share = (journal.count + Self.connections - 1) / Self.connections
    return try await withThrowingTaskGroup(of: [LoadedCall].self) { group in
      for start in stride(from: 0, to: journal.count, by: max(share, 1)) {
        let part = journal[start..<min(start + share, journal.count)]
        group.addTask {
          try await MockupClient.withConnection(to: .unixSocket(path: socket)) { client in
            var answered: [LoadedCall] = []
            for call in part { answered.append(try await sendAgain(call, client)) }
            return answered
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private func sendAgain(_ call: LoadedCall, _ client: MockupClient) async throws -> LoadedCall {
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
