import Foundation
import Glibc
import MockupClient
import Postgres
import TestSupport
import Testing

@testable import TTRPC

/// Watches of mockups, also while servers, database sessions and readers fail.
@Suite struct WatchTests {
  /// A user whose mockups the database owner changes with SQL, as a dashboard would.
  private struct Fixture {
    let database: MigratedDatabase
    let user: UUID

    static func with(
      _ body: (Fixture, RunningServer) async throws -> Void
    ) async throws {
      try await MigratedDatabase.with { database in
        let fixture = Fixture(database: database, user: try await database.makeUser())
        try await database.withServer { try await body(fixture, $0) }
      }
    }

    func makeMockup() async throws -> UUID {
      let id = UUID()
      try await database.owner.run(
        """
        WITH asset AS (INSERT INTO assets (user_id) VALUES ('\(user)') RETURNING id)
        INSERT INTO mockups (id, user_id, asset_id, scene, file_url, file_key)
        SELECT '\(id)', '\(user)', id, 'bedroom', '', '' FROM asset
        """)
      return id
    }

    func setErrorMessage(_ text: String, of mockup: UUID) async throws {
      try await database.owner.run(
        "UPDATE mockups SET error_message = '\(text)' WHERE id = '\(mockup)'")
    }
  }

  private static func client<Value>(
    _ server: RunningServer, _ body: (MockupClient) async throws -> Value
  ) async throws -> Value {
    try await MockupClient.withConnection(to: .unixSocket(path: server.socket), body)
  }

  /// Reads events until a mockup has the given error message, and returns the last event.
  ///
  /// - Returns: `nil` if the watch ends first.
  private static func read(
    _ watch: inout Watch<MockupEvent>.Iterator, until text: String
  ) async throws -> MockupEvent? {
    while let event = try await watch.next() {
      if case .changed(let mockup) = event.change, mockup.errorMessage == text { return event }
    }
    return nil
  }

  @Test func `a watch reports changes as they happen`() async throws {
    try await Fixture.with { fixture, server in
      let before = try await fixture.makeMockup()
      try await Self.client(server) { client in
        var watch = client.mockups.watch(of: fixture.user).makeAsyncIterator()
        let began = try #require(try await watch.next())
        #expect(began.change == .began)

        let mockup = try await fixture.makeMockup()
        let made = try #require(try await watch.next())
        guard case .changed(let first) = made.change else {
          Issue.record("\(made)")
          return
        }
        #expect(first.mockupID == mockup.wireText)
        #expect(first.userID == fixture.user.wireText)
        #expect(first.status == .pending)

        try await fixture.setErrorMessage("one", of: before)
        #expect(try await Self.read(&watch, until: "one") != nil)
        try await fixture.database.owner.run("DELETE FROM mockups WHERE id = '\(mockup)'")
        let deleted = try #require(try await watch.next())
        #expect(deleted.change == .deleted(mockup))

        // Another watch resumes from a token, and reports only the last of several changes.
        var later = client.mockups.watch(of: fixture.user, from: began.resumeToken)
          .makeAsyncIterator()
        #expect(try await later.next()?.change == .began)
        #expect(try await Self.read(&later, until: "one") != nil)
        #expect(try await later.next() == deleted)
      }
    }
  }

  @Test func `a watch can start with the current mockups`() async throws {
    try await Fixture.with { fixture, server in
      let (gone, kept) = (try await fixture.makeMockup(), try await fixture.makeMockup())
      try await fixture.database.owner.run("DELETE FROM mockups WHERE id = '\(gone)'")
      try await Self.client(server) { client in
        var watch = client.mockups.watch(of: fixture.user, startsWithCurrent: true)
          .makeAsyncIterator()
        #expect(try await watch.next()?.change == .began)
        guard case .changed(let mockup)? = try await watch.next()?.change else {
          Issue.record("the existing mockup was not reported")
          return
        }
        #expect(mockup.mockupID == kept.wireText)
        try await fixture.setErrorMessage("then", of: kept)
        #expect(try await Self.read(&watch, until: "then") != nil)
      }
    }
  }

  @Test func `an invalid request is refused`() async throws {
    try await Fixture.with { fixture, server in
      let client = Client(path: server.socket)
      let stub = MockupServiceClient(client)
      func firstAnswer(_ request: WatchMockupsRequest) async throws -> WatchMockupsResponse? {
        try await stub.watchMockups(request) { try await $0.next() }
      }
      let user = fixture.user.wireText
      let other = try await fixture.database.makeUser().wireText
      let token = try #require(try await firstAnswer(WatchMockupsRequest(userID: user)))
        .resumeToken
      let future = Data("\(user)/99".utf8).base64EncodedString()
      let table: [(WatchMockupsRequest, StatusCode, String)] = [
        (WatchMockupsRequest(), .invalidArgument, "user_id"),
        (WatchMockupsRequest(userID: UUID().wireText), .notFound, "no user"),
        (WatchMockupsRequest(userID: other, resumeToken: token), .invalidArgument, "resume_token"),
        (WatchMockupsRequest(userID: user, resumeToken: "?"), .invalidArgument, "resume_token"),
        (WatchMockupsRequest(userID: user, resumeToken: future), .invalidArgument, "resume_token"),
        (
          WatchMockupsRequest(userID: user, resumeToken: token, sendCurrent: true),
          .invalidArgument, "send_current"
        ),
      ]
      for (request, code, word) in table {
        let error = await #expect(throws: RPCError.self) { try await firstAnswer(request) }
        #expect(error?.code == code, "\(request)")
        #expect(error?.message.contains(word) == true, "\(String(describing: error))")
      }
      await client.close()
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `a watch resumes after the server is killed and misses no change`() async throws {
    try await MigratedDatabase.with { database in
      let fixture = Fixture(database: database, user: try await database.makeUser())
      let mockups = [try await fixture.makeMockup(), try await fixture.makeMockup()]
      try await withTemporaryFolder { folder in
        var server = try await RunningServer.start(on: database.service, folder: folder)
        try await Self.client(server) { client in
          var watch = client.mockups.watch(of: fixture.user).makeAsyncIterator()
          #expect(try await watch.next()?.change == .began)
          for round in 1...3 {
            try await fixture.setErrorMessage("before \(round)", of: mockups[0])
            #expect(try await Self.read(&watch, until: "before \(round)") != nil)
            #expect(await server.stop(by: SIGKILL).exitCode == nil)
            for mockup in mockups {
              try await fixture.setErrorMessage("killed \(round)", of: mockup)
            }
            server = try await RunningServer.start(on: database.service, folder: folder)
            // One event for each of the two mockups.
            #expect(try await Self.read(&watch, until: "killed \(round)") != nil)
            #expect(try await Self.read(&watch, until: "killed \(round)") != nil)
          }
        }
        #expect(await server.stop().exitCode == 0)
      }
    }
  }

  // If the listener did not reconnect, the fallback poll would report each change a minute late.
  @Test(.timeLimit(.minutes(15)))
  func `a change that is committed while the listener is disconnected is reported`() async throws {
    try await Fixture.with { fixture, server in
      let mockup = try await fixture.makeMockup()
      try await Self.client(server) { client in
        var watch = client.mockups.watch(of: fixture.user).makeAsyncIterator()
        #expect(try await watch.next()?.change == .began)
        for round in 1...3 {
          // The listener's session ends before the change is committed.
          try await fixture.database.owner.run(
            """
            DO $$
            BEGIN
              PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity
              WHERE application_name LIKE 'mockupd@% listener' AND datname = current_database();
              UPDATE mockups SET error_message = '\(round)' WHERE id = '\(mockup)';
            END
            $$
            """)
          #expect(try await Self.read(&watch, until: "\(round)") != nil)
        }
      }
    }
  }

  // The test fails by timeout if the drain waits for the watch.
  @Test(.timeLimit(.minutes(15)))
  func `a drain ends watches at once with UNAVAILABLE`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(
          on: database.service, settings: ["MOCKUPD_LIMITS_SHUTDOWN_TIMEOUT_SECONDS": "86400"],
          folder: folder)
        let client = Client(path: server.socket)
        let error = await #expect(throws: RPCError.self) {
          try await MockupServiceClient(client).watchMockups(
            WatchMockupsRequest(userID: user.wireText)
          ) { responses in
            #expect(try await responses.next()?.resumeToken.isEmpty == false)
            server.process.signal(SIGTERM)
            while try await responses.next() != nil {}
          }
        }
        #expect(error?.code == .unavailable)
        await client.close()
        let ending = await server.process.ending()
        #expect(ending.exitCode == 0, "\(ending)")
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `the watch command prints a line for each change`() async throws {
    try await Fixture.with { fixture, server in
      try await withTemporaryFolder { folder in
        let watch = try Program.mockupctl.start(
          [
            "mockups", "watch", fixture.user.wireText, "--socket", server.socket, "--output",
            "json",
          ],
          folder: folder)
        func lines(_ count: Int) async throws -> [[String: Any]] {
          try await eventually("\(count) lines") {
            watch.output.count(where: { $0 == "\n" }) >= count
          }
          return try watch.output.split(separator: "\n").map { line in
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
          }
        }
        let began = try #require(try await lines(1).first)
        #expect(Array(began.keys) == ["resume_token"])
        let mockup = try await fixture.makeMockup()
        let made = try #require(try await lines(2).last)
        #expect(made["mockup_id"] as? String == mockup.wireText)
        #expect(made["status"] as? String == "pending")
        #expect(made["resume_token"] as? String != began["resume_token"] as? String)
        try await fixture.database.owner.run("DELETE FROM mockups WHERE id = '\(mockup)'")
        let gone = try #require(try await lines(3).last)
        #expect(gone["mockup_id"] as? String == mockup.wireText)
        #expect(gone["status"] as? String == "deleted")
        watch.signal(SIGTERM)
        _ = await watch.ending()
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `a watcher that does not read does not delay other watchers`() async throws {
    try await Fixture.with { fixture, server in
      let mockups = [try await fixture.makeMockup(), try await fixture.makeMockup()]
      let nonReader = try RawPeer(path: server.socket)
      let request = RawCall.bytes(1, fixture.user.wireText.utf8)
      try await nonReader.send(
        RawCall.frame(1, "WatchMockups", request, of: "mockups.v1.MockupService"))
      try await Self.client(server) { client in
        var slow = client.mockups.watch(of: fixture.user).makeAsyncIterator()
        #expect(try await slow.next()?.change == .began)
        var quick = client.mockups.watch(of: fixture.user).makeAsyncIterator()
        #expect(try await quick.next()?.change == .began)
        // More than the buffers of the sockets and of the client hold.
        for round in 1...40 {
          for mockup in mockups {
            try await fixture.database.owner.run(
              """
              UPDATE mockups SET error_message = '\(round)', thumbnail_url = repeat('x', 1000000)
              WHERE id = '\(mockup)'
              """)
          }
          #expect(try await Self.read(&quick, until: "\(round)") != nil)
          #expect(try await Self.read(&quick, until: "\(round)") != nil)
        }
        #expect(try await Self.read(&slow, until: "40") != nil)
        #expect(try await Self.read(&slow, until: "40") != nil)
      }
      withExtendedLifetime(nonReader) {}
    }
  }

  @Test func `a hundred watchers share one listener session`() async throws {
    try await Fixture.with { fixture, server in
      let mockup = try await fixture.makeMockup()
      try await Self.client(server) { client in
        let begun = (1...100).map { _ in Flag() }
        let notified = try await withThrowingTaskGroup(of: Bool.self) { group in
          for begun in begun {
            group.addTask {
              var watch = client.mockups.watch(of: fixture.user).makeAsyncIterator()
              let first = try await watch.next()
              begun.set()
              let noted = try await Self.read(&watch, until: "noted")
              return first?.change == .began && noted != nil
            }
          }
          for begun in begun { try await begun.wait() }
          let sessions = try await fixture.database.numbers(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name LIKE 'mockupd%'
              AND usename = 'mockupd_test'
            GROUP BY application_name ORDER BY application_name
            """)
          // The sessions of the pool, with the one for statements that wait for locks, of the
          // health check and of the listener.
          #expect(sessions == [5, 1, 1])
          try await fixture.setErrorMessage("noted", of: mockup)
          return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(notified == 100)
      }
    }
  }
}
