import Foundation
import Glibc
import MockupClient
import TestSupport
import Testing

/// SIGTERM under load: each call either takes effect and is answered, or is refused without effect.
///
/// `MOCKUPD_TEST_ROUNDS` sets the number of rounds. To repeat the random choices of a failed run,
/// set `MOCKUPD_TEST_SEED=<seed>`; the interleaving of the calls still differs from run to run.
@Suite struct DrainTests {
  @Test func `every call is answered or refused when the server stops under load`() async throws {
    var random = SeededGenerator(printingSeedOf: "MOCKUPD_TEST_SEED")
    let variable = ProcessInfo.processInfo.environment["MOCKUPD_TEST_ROUNDS"]
    let rounds = variable.flatMap { Int($0) } ?? 5
    try await MigratedDatabase.with { database in
      for round in 1...rounds {
        let user = try await database.makeUser(annualBudget: 1_000_000)
        let outcomes = try await Self.stopUnderLoad(database, user, &random)

        for (id, error) in outcomes {
          #expect(
            error == nil || error?.code == .unavailable,
            "round \(round): \(id) \(String(describing: error))")
        }
        let answered = Set(outcomes.filter { $0.value == nil }.keys)
        let stored = Set(
          try await database.texts(
            "SELECT id::text FROM mockupd.reservations WHERE user_id = '\(user)'"))
        #expect(answered.subtracting(stored).isEmpty, "round \(round): answered without effect")
        #expect(stored.subtracting(answered).isEmpty, "round \(round): in effect but not answered")
        print(
          "round \(round): \(answered.count) answered, \(outcomes.count - answered.count) refused")
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }

  /// Stops a server at a random time under load.
  ///
  /// - Returns: The error of each call, or `nil` if it succeeded, by reservation id.
  private static func stopUnderLoad(
    _ database: MigratedDatabase, _ user: UUID, _ random: inout SeededGenerator
  ) async throws -> [String: RPCError?] {
    try await withTemporaryFolder { folder in
      let server = try await RunningServer.start(
        on: database.service,
        settings: ["MOCKUPD_SERVER_EVENT_LOOPS": "\(Int.random(in: 1...2, using: &random))"],
        folder: folder)
      let callsUntilStop = Int.random(in: 0...1000, using: &random)
      let readDelay = Duration.milliseconds(Int.random(in: 0...100, using: &random))
      let peers = try await sendPartialFrames(to: server, user, &random)
      let (answers, answered) = AsyncStream.makeStream(of: Void.self)
      let load = DrainLoad(user: user, socket: server.socket) { answered.yield() }
      async let stopped: Program.Ending = {
        var (count, iterator) = (0, answers.makeAsyncIterator())
        while count < callsUntilStop, await iterator.next() != nil { count += 1 }
        return await server.stop()
      }()
      let outcomes = try await load.run {
        try await eventually("the server stops") {
          server.process.knownEnding != nil
            || !FileManager.default.fileExists(atPath: server.socket)
        }
        try await Task.sleep(for: readDelay)
      }
      let ending = await stopped
      #expect(ending.exitCode == 0, "\(ending)")
      #expect(ending.errors.isEmpty, "\(ending)")
      for peer in peers { #expect(try await peer.isClosed()) }
      return outcomes
    }
  }

  /// Connects peers that each send a part of a frame.
  ///
  /// Their calls must have no effect.
  private static func sendPartialFrames(
    to server: RunningServer, _ user: UUID, _ random: inout SeededGenerator
  ) async throws -> [RawPeer] {
    var peers: [RawPeer] = []
    for _ in 1...8 {
      let frame = DrainLoad.frame(1, user, id: UUID().wireText)
      let peer = try RawPeer(path: server.socket)
      try await peer.send(Array(frame.prefix(Int.random(in: 1..<frame.count, using: &random))))
      peers.append(peer)
    }
    return peers
  }
}
