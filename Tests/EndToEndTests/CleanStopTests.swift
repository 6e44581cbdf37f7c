import Foundation
import Glibc
import MockupClient
import TestSupport
import Testing

/// Shutdown of the server by a signal.
@Suite struct CleanStopTests {
  @Test(arguments: [SIGTERM, SIGINT])
  func `the server ends on a signal after it has answered the calls in flight`(signal: Int32)
    async throws
  {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(on: database.service, folder: folder)
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          // Creates the counters, so that there is a row to lock.
          _ = try await client.credits.reserve(for: user, credits: 1)
          let running = try await database.whileCreditsAreLocked {
            let running = Task { try await client.credits.reserve(for: user, credits: 2) }
            try await database.waitForASession(waitingFor: "Lock")
            server.process.signal(signal)
            try await eventually("the socket is removed") {
              !FileManager.default.fileExists(atPath: server.socket)
            }
            #expect(throws: RawPeer.Failure.self) { try RawPeer(path: server.socket) }
            #expect(server.process.knownEnding == nil, "the server ended before the call")
            return running
          }
          let answer = try await running.value
          #expect(answer.success)
          #expect(answer.remaining == 7)
        }
        let ending = await server.process.ending()
        #expect(ending.exitCode == 0, "\(ending)")
        #expect(ending.output == "ready \(server.socket)\n")
        #expect(ending.errors.isEmpty, "\(ending)")
      }
    }
  }

  @Test func `a call that exceeds the shutdown timeout fails with UNAVAILABLE`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(
          on: database.service, settings: ["MOCKUPD_LIMITS_SHUTDOWN_TIMEOUT_SECONDS": "1"],
          folder: folder)
        let client = CreditServiceClient(Client(path: server.socket))
        let request = ReserveCreditsRequest(
          userID: user.wireText, credits: 1, reservationID: UUID().wireText)
        _ = try await client.reserveCredits(request)
        try await database.whileCreditsAreLocked {
          let running = Task { try await client.reserveCredits(request) }
          try await database.waitForASession(waitingFor: "Lock")
          let ending = await server.stop()
          #expect(ending.exitCode == 0, "\(ending)")
          await #expect { try await running.value } throws: { error in
            (error as? RPCError)?.code == .unavailable
          }
        }
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }
}
