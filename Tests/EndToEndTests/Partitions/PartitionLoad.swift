import Foundation
import MockupClient
import NIOConcurrencyHelpers
import TestSupport
import Testing

/// A load of reservations and commits of a partition's users.
///
/// Each call is made again under its ids until it is answered.
final class PartitionLoad: Sendable {
  private static let connectionsPerUser = 2

  private struct State {
    var journals: [UUID: [JournalEntry]] = [:]
    var answers = 0
    var failures: [String] = []
  }

  let users: [UUID]
  let socket: String
  private let stopped = Flag()
  private let state = NIOLockedValueBox(State())

  init(users: [UUID], socket: String) {
    self.users = users
    self.socket = socket
  }

  /// The number of calls that were answered.
  var answers: Int { state.withLockedValue(\.answers) }

  /// The errors of calls that were made again.
  var failures: [String] { state.withLockedValue(\.failures) }

  func stop() { stopped.set() }

  /// Makes calls until ``stop()`` is called.
  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for user in users {
        for _ in 0..<Self.connectionsPerUser {
          group.addTask { try await self.call(for: user) }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Waits until a number of further calls have been answered.
  func waitForAnswers(_ count: Int) async throws {
    let goal = answers + count
    try await eventually("\(count) calls are answered") { answers >= goal }
  }

  private func call(for user: UUID) async throws {
    let configuration = MockupClient.Configuration(retry: .never)
    try await MockupClient.withConnection(
      to: .unixSocket(path: socket), configuration: configuration
    ) { client in
      while !self.stopped.isSet {
        var entry = JournalEntry(id: UUID(), credits: Int.random(in: 1...5))
        let id = entry.id
        let reserved = try await self.answer { [credits = entry.credits] in
          try await client.credits.reserve(for: user, credits: credits, id: id)
        }
        entry.reservation = reserved
        if reserved.success, Int.random(in: 0..<3) > 0 {
          let credits = Int.random(in: 1...entry.credits)
          entry.creditsToCommit = credits
          entry.commit = try await self.answer {
            try await client.credits.commit(id, of: user, credits: credits)
          }
        }
        self.state.withLockedValue { [entry] in $0.journals[user, default: []].append(entry) }
      }
    }
  }

  /// Repeats a call until it is answered.
  private func answer<Value>(_ call: () async throws -> Value) async throws -> Value {
    let end = ContinuousClock.now + testTimeout
    while true {
      do {
        let value = try await call()
        state.withLockedValue { $0.answers += 1 }
        return value
      } catch let error as RPCError where error.code == .unavailable {
        // Any other error is a defect.
        state.withLockedValue { $0.failures.append("\(error)") }
        guard ContinuousClock.now < end else { throw error }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  /// Expects that the server gives the same answers again, and that each change counted once.
  func expectSameAnswers() async throws {
    for user in users {
      let journal = state.withLockedValue { $0.journals[user, default: []] }
      let again = try await CreditLoad(user: user, socket: socket).retryAll(journal)
      #expect(again.count == journal.count)
      try await MockupClient.withConnection(to: .unixSocket(path: socket)) { client in
        let usage = try await client.credits.usage(of: user)
        let spent = journal.reduce(0) { $0 + $1.creditsSpent }
        #expect(Int(usage.totalUsed) == spent)
        #expect(Int(usage.held) == journal.reduce(0) { $0 + $1.creditsTaken } - spent)
      }
    }
  }
}
