import FoundationEssentials
import Glibc
import MockupClient
import TTRPCServices
import TestSupport
import Testing

/// The end of a call before its response.
///
/// A statement that was sent to PostgreSQL and may write runs to its end.
@Suite struct CancellationTests {
  private static func reserve(_ user: UUID, timeout: Duration? = nil) -> [UInt8] {
    RawCall.frame(
      1, "ReserveCredits",
      RawCall.bytes(1, user.wireText.utf8) + RawCall.varint(2, 1)
        + RawCall.bytes(3, UUID().wireText.utf8), timeout: timeout)
  }

  private static func code(_ frame: [UInt8]?) throws -> StatusCode? {
    try RawCall.error(in: try #require(frame))?.code
  }

  /// Runs a closure while a call of ReserveCredits waits for a lock in PostgreSQL, and expects that
  /// the reservation is written when the lock is free.
  ///
  /// The call occupies the server's only database connection. With the usual `lock_timeout`, its
  /// statement would soon end and be sent again.
  private static func whileReservationWaits(
    timeout: Duration? = nil, settings: [String: String] = [:],
    _ body: (RawPeer, RunningServer, MigratedDatabase, UUID) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      try await database.withServer(
        settings: settings.merging([
          "MOCKUPD_DATABASE_POOL_SIZE": "1", "MOCKUPD_DATABASE_LOCK_TIMEOUT_MILLISECONDS": "60000",
        ]) { $1 }
      ) { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          // Creates the counters, so that there is a row to lock.
          _ = try await client.credits.reserve(for: user, credits: 1)
        }
        try await database.whileCreditsAreLocked {
          var timeout = timeout
          while true {
            let peer = try RawPeer(path: server.socket)
            try await peer.send(reserve(user, timeout: timeout))
            try await eventually("the reservation waits or its deadline has passed") {
              if try peer.isReadable { return true }
              return try await database.sessions(waitingFor: "Lock") > 0
            }
            if try await database.sessions(waitingFor: "Lock") > 0 {
              return try await body(peer, server, database, user)
            }
            // On a slow machine, the deadline may pass before the statement starts.
            timeout = timeout.map { $0 * 2 }
          }
        }
      }
      // The statement has run to its end, or its session has ended with the server.
      try await database.waitForNoSession(waitingFor: "Lock")
      try await eventually("both reservations are written") {
        try await database.numbers("SELECT count(*) FROM mockupd.reservations") == [2]
      }
    }
  }

  /// Expects that the statement waits for the lock still.
  private static func expectRunningStatement(_ database: MigratedDatabase) async throws {
    #expect(try await database.sessions(waitingFor: "Lock") == 1)
  }

  @Test func `a deadline ends the call and not its statement`() async throws {
    try await Self.whileReservationWaits(timeout: .seconds(3)) { peer, _, database, _ in
      #expect(try Self.code(try await peer.receiveFrame()) == .deadlineExceeded)
      try await Self.expectRunningStatement(database)
    }
  }

  @Test func `a cancel frame ends the call and not its statement`() async throws {
    try await Self.whileReservationWaits { peer, _, database, _ in
      try await peer.send([0, 0, 0, 0, 0, 0, 0, 1, 4, 0])
      #expect(try Self.code(try await peer.receiveFrame()) == .cancelled)
      try await Self.expectRunningStatement(database)
    }
  }

  @Test func `a closed connection does not end the statement`() async throws {
    try await Self.whileReservationWaits { peer, server, database, _ in
      peer.disconnect()
      // The server has noticed when it has answered a later connection.
      _ = try await HTTP.get("/healthz", at: server.socket)
      try await Self.expectRunningStatement(database)
    }
  }

  @Test func `the shutdown timeout ends the server and not the statement`() async throws {
    let settings = ["MOCKUPD_LIMITS_SHUTDOWN_TIMEOUT_SECONDS": "1"]
    try await Self.whileReservationWaits(settings: settings) { peer, server, database, _ in
      server.process.signal(SIGTERM)
      #expect(try Self.code(try await peer.receiveFrame()) == .unavailable)
      #expect(try await peer.isClosed())
      #expect(await server.process.ending().exitCode == 0)
      try await Self.expectRunningStatement(database)
    }
  }

  @Test func `a watch ends when the server stops without waiting for other calls`() async throws {
    let settings = ["MOCKUPD_LIMITS_SHUTDOWN_TIMEOUT_SECONDS": "86400"]
    try await Self.whileReservationWaits(settings: settings) { peer, server, _, _ in
      let client = Client(path: server.socket)
      var statuses = 0
      do {
        try await HealthClient(client).watch(HealthCheckRequest()) { responses in
          for try await _ in responses {
            statuses += 1
            server.process.signal(SIGTERM)
          }
        }
        Issue.record("the watch ended without an error")
      } catch let error as RPCError {
        #expect(error.code == .unavailable, "\(error)")
      }
      #expect(statuses > 0)
      #expect(server.process.knownEnding == nil)
      try await peer.send([0, 0, 0, 0, 0, 0, 0, 1, 4, 0])
      #expect(try Self.code(try await peer.receiveFrame()) == .cancelled)
      #expect(await server.process.ending().exitCode == 0)
    }
  }
}
