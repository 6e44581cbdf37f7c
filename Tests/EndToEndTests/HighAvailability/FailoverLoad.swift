import Foundation
import MockupClient
import NIOConcurrencyHelpers
import TestSupport
import Testing

/// A load of reservations, each of which is retried under its id until it is answered.
final class FailoverLoad: Sendable {
  private static let connections = 4

  private struct State {
    /// The answers in the order of their arrival.
    var answers: [(id: UUID, answer: ReserveCreditsResponse)] = []
    var last = ContinuousClock.now
    var longestGap: Duration = .zero
    var retries = 0
  }

  let user: UUID
  let sockets: [String]
  private let stopped = Flag()
  private let state = NIOLockedValueBox(State())

  init(user: UUID, sockets: [String]) {
    self.user = user
    self.sockets = sockets
  }

  /// The number of calls that were answered.
  var count: Int { state.withLockedValue(\.answers.count) }

  /// The longest time between two answers.
  var longestGap: Duration { state.withLockedValue(\.longestGap) }

  /// The number of calls that were made again after an error.
  var retries: Int { state.withLockedValue(\.retries) }

  func stop() { stopped.set() }

  /// Makes calls until ``stop()`` is called, alternately to each server.
  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<Self.connections {
        group.addTask { try await self.callUntilStopped() }
      }
      try await group.waitForAll()
    }
  }

  private func callUntilStopped() async throws {
    let clients = sockets.map { CreditServiceClient(Client(path: $0)) }
    var next = 0
    while !stopped.isSet {
      let id = UUID()
      let credits = Int32.random(in: 1...3)
      var answer: ReserveCreditsResponse?
      while answer == nil {
        next = (next + 1) % clients.count
        do {
          answer = try await clients[next].reserveCredits(
            ReserveCreditsRequest(
              userID: user.wireText, credits: credits, reservationID: id.wireText),
            options: CallOptions(timeout: .seconds(3)))
        } catch {
          // Any other error is a defect.
          guard [.unavailable, .deadlineExceeded, .resourceExhausted].contains(error.code) else {
            throw error
          }
          state.withLockedValue { $0.retries += 1 }
          try await Task.sleep(for: .milliseconds(50))
        }
      }
      if let answer { record(id, answer) }
    }
  }

  private func record(_ id: UUID, _ answer: ReserveCreditsResponse) {
    state.withLockedValue { state in
      let now = ContinuousClock.now
      state.longestGap = max(state.longestGap, now - state.last)
      state.last = now
      state.answers.append((id, answer))
    }
  }

  /// Retries every call, and expects its answer.
  func expectSameAnswers(from socket: String) async throws {
    let client = CreditServiceClient(Client(path: socket))
    for (id, answer) in state.withLockedValue(\.answers) {
      guard let credits = answer.reservation?.credits else {
        Issue.record("\(id) has no reservation")
        continue
      }
      var expected = answer
      expected.replayed = true
      let again = try await client.reserveCredits(
        ReserveCreditsRequest(userID: user.wireText, credits: credits, reservationID: id.wireText),
        options: CallOptions(timeout: testTimeout))
      #expect(again == expected)
    }
  }
}
