import Foundation
import Glibc
import MockupClient
import TestSupport
import Testing

/// Watches through a proxy database.
@Suite(.timeLimit(.minutes(15))) struct PartitionFeedTests {
  /// The number of changes of a test, each made after the one before was delivered.
  ///
  /// Without notifications, a watch sees one a minute, so the time limits of the tests end them.
  private static let changes = 30

  private static func makeMockup(
    of user: UUID, in partition: MigratedDatabase
  ) async throws -> UUID {
    let id = UUID()
    try await partition.owner.run(
      """
      WITH asset AS (INSERT INTO assets (user_id) VALUES ('\(user)') RETURNING id)
      INSERT INTO mockups (id, user_id, asset_id, scene, file_url, file_key)
      SELECT '\(id)', '\(user)', id, 'bedroom', '', '' FROM asset
      """)
    return id
  }

  /// Makes changes, each after the watch has delivered the one before.
  private static func expectChanges(
    of user: UUID, in partition: MigratedDatabase, by watch: inout Watch<MockupEvent>.Iterator
  ) async throws {
    for _ in 0..<changes {
      let id = try await makeMockup(of: user, in: partition)
      guard case .changed(let mockup)? = try await watch.next()?.change else {
        Issue.record("the watch has ended")
        return
      }
      #expect(mockup.mockupID == id.wireText)
    }
  }

  @Test func `watches of users of each partition get changes by notifications`() async throws {
    try await PartitionedDatabase.with { database in
      let users = [
        try await database.makeUser(in: 0), try await database.makeUser(in: 1),
      ]
      try await database.proxy.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          for (user, partition) in zip(users, database.partitions) {
            var watch = client.mockups.watch(of: user).makeAsyncIterator()
            #expect(try await watch.next()?.change == .began)
            try await Self.expectChanges(of: user, in: partition, by: &watch)
          }
        }
      }
    }
  }

  @Test func `a partition that has moved is listened to although its old address answers`()
    async throws
  {
    try await PartitionedDatabase.with { database in
      try await MigratedDatabase.with { moved in
        let user = try await database.makeUser(in: 1)
        _ = try await moved.makeUser(user)
        try await database.proxy.withServer { server in
          try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
            var watch = client.mockups.watch(of: user).makeAsyncIterator()
            #expect(try await watch.next()?.change == .began)
            try await database.makeProxy(over: [database.partitions[0].service, moved.service])
            try await Self.expectChanges(of: user, in: moved, by: &watch)
          }
        }
      }
    }
  }

  @Test func `alerts of all partitions are delivered once, also after a partition's restart`()
    async throws
  {
    try await SeparatePartitions.with(annualBudget: 1000) { fixture, client in
      let (first, second) = (fixture.users[0], fixture.users[1])
      try await withTemporaryFolder { folder in
        let (state, out) = ("\(folder)/state", "\(folder)/out")
        func startCommand() throws -> RunningProgram {
          try Program.mockupctl.start(
            [
              "alerts", "watch", "--socket", fixture.server.socket, "--state", state, "--exec",
              "cat >> '\(out)'",
            ], folder: folder)
        }
        var command = try startCommand()
        try await eventually("the watch has begun") {
          FileManager.default.fileExists(atPath: state)
        }
        var alerts = client.admin.watchAlerts().makeAsyncIterator()
        let began = try #require(try await alerts.next())
        #expect(began.alert == nil)

        /// Reserves credits, and returns what the watch delivers for the annual budget.
        func reserve(_ credits: Int, for user: UUID) async throws -> AlertEvent {
          let id = UUID()
          // Each session with a partition that was restarted fails once.
          try await eventually("credits are reserved") {
            do throws(RPCError) {
              _ = try await client.credits.reserve(for: user, credits: credits, id: id)
              return true
            } catch {
              guard error.code == .unavailable else { throw error }
              return false
            }
          }
          while true {
            let event = try #require(try await alerts.next())
            let alert = try #require(event.alert)
            if alert.month != 0 { continue }
            #expect(alert.userID == user.wireText)
            return event
          }
        }
        var events = [
          try await reserve(500, for: first), try await reserve(500, for: second),
          try await reserve(300, for: first),
        ]
        try await fixture.partitions[0].stop()
        events.append(try await reserve(300, for: second))
        try await fixture.partitions[0].start()
        events.append(try await reserve(100, for: first))
        #expect(events.map(\.alert?.threshold) == [50, 50, 80, 80, 90])
        #expect(Set(events.map(\.alert?.alertID)).count == 5)

        // Another watch continues after each event, with what that event's watch had not seen.
        for (index, event) in events.enumerated() {
          var rest: [Alert] = []
          var later = client.admin.watchAlerts(from: event.resumeToken).makeAsyncIterator()
          _ = try await later.next()
          while rest.count < events.count - index - 1 {
            guard let alert = try await later.next()?.alert else { break }
            if alert.month == 0 { rest.append(alert) }
          }
          #expect(
            Set(rest.map(\.alertID)) == Set(events[(index + 1)...].compactMap(\.alert?.alertID)))
        }
        var listed: [Int64] = []
        for try await alert in client.admin.alerts() where alert.month == 0 {
          listed.append(alert.alertID)
        }
        #expect(listed == events.reversed().map { $0.alert?.alertID ?? 0 })

        // The command has got the same alerts, and continues after the last.
        func lines() -> [String] {
          let text = (try? String(contentsOfFile: out, encoding: .utf8)) ?? ""
          return text.split(separator: "\n").map(String.init)
            .filter { $0.contains(#""kind":"year""#) }
        }
        try await eventually("the command got all alerts") { lines().count == 5 }
        command.signal(SIGTERM)
        _ = await command.ending()
        _ = try await reserve(200, for: second)
        command = try startCommand()
        try await eventually("the command continues") { lines().count >= 7 }
        #expect(Set(lines()).count == 7)
        command.signal(SIGTERM)
        _ = await command.ending()
      }
    }
  }

  @Test func `a token of another number of partitions is refused`() async throws {
    try await PartitionedDatabase.with { database in
      try await database.proxy.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          for text in [
            "alertWatch//0", "alertWatch//0/0/0", "alertWatch//0/-1", "alertWatch//9/0",
            "alertWatch//0/9",
          ] {
            let token = Data(text.utf8).base64EncodedString()
            let error = await #expect(throws: RPCError.self, "\(text)") {
              for try await _ in client.admin.watchAlerts(from: token) {}
            }
            #expect(error?.code == .invalidArgument, "\(text)")
          }
        }
      }
    }
  }
}
