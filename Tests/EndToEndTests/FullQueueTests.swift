import Foundation
import MockupClient
import TestSupport
import Testing

/// Calls while the queue of changes of credits is full.
@Suite(.timeLimit(.minutes(15))) struct FullQueueTests {
  /// Sends a request that cannot be decoded, and returns the error.
  private static func malformedCallError(at socket: String) async throws -> RPCError? {
    let peer = try RawPeer(path: socket)
    try await peer.send(RawCall.frame(1, "ReserveCredits", [0xff]))
    return try RawCall.error(in: try #require(try await peer.receiveFrame()))
  }

  @Test func `a call is refused before its request is decoded`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      try await database.withServer(settings: ["MOCKUPD_BATCHING_MAX_PENDING": "1"]) { server in
        var configuration = MockupClient.Configuration(timeout: testTimeout)
        configuration.retry.attempts = .max
        try await MockupClient.withConnection(
          to: .unixSocket(path: server.socket), configuration: configuration
        ) { client in
          // Creates the counters, so that there is a row to lock.
          _ = try await client.credits.reserve(for: user, credits: 1)
          #expect(try await Self.malformedCallError(at: server.socket)?.code == .internalError)
          let waiting = try await database.whileCreditsAreLocked {
            // One is being written, and one waits.
            let waiting = (0..<2).map { _ in
              Task { try await client.credits.reserve(for: user, credits: 1).success }
            }
            try await eventually("the queue is full") {
              let error = try #require(try await Self.malformedCallError(at: server.socket))
              guard error.code == .resourceExhausted else { return false }
              #expect(error.retryDelay != nil)
              return true
            }
            return waiting
          }
          for call in waiting { #expect(try await call.value) }
          #expect(try await client.credits.usage(of: user).held == 3)
          #expect(try await Self.malformedCallError(at: server.socket)?.code == .internalError)
        }
      }
    }
  }
}
