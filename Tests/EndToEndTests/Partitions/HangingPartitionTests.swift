import Foundation
import Glibc
import MockupClient
import NIOConcurrencyHelpers
import TTRPCServices
import TestSupport
import Testing

/// A partition whose processes are suspended, so that it neither answers nor fails.
@Suite struct HangingPartitionTests {
  /// The time for which the other partition must be served: several checks of health.
  ///
  /// It is longer than the time limit of statements, which must not end those that wait.
  private static let hang: Duration = .seconds(12)
  private static let settings = ["MOCKUPD_DATABASE_STATEMENT_TIMEOUT_SECONDS": "8"]

  @Test func `a partition that hangs holds up its own users only`() async throws {
    try await SeparatePartitions.with(settings: Self.settings) { fixture, client in
      let (absent, present) = (fixture.users[0], fixture.users[1])
      for user in fixture.users {
        #expect(try await client.credits.reserve(for: user, credits: 1).success)
      }
      let statuses = NIOLockedValueBox<[HealthCheckResponse.ServingStatus]>([])
      let watch = Task { [socket = fixture.server.socket] in
        try await HealthClient(Client(path: socket)).watch(HealthCheckRequest()) { answers in
          while let answer = try await answers.next() {
            statuses.withLockedValue { $0.append(answer.status) }
          }
        }
      }
      defer { watch.cancel() }
      let asset = try await fixture.makeAsset(of: present)

      let logged = fixture.server.process.errors.count
      try fixture.partitions[0].pause()
      // More calls than the server has connections.
      let heldUp = (0..<40).map { index in
        Task {
          if index.isMultiple(of: 2) {
            _ = try await client.credits.reserve(for: absent, credits: 1)
          } else {
            _ = try await client.credits.usage(of: absent)
          }
        }
      }
      let end = ContinuousClock.now + Self.hang
      var calls = 0
      while calls < 100 || ContinuousClock.now < end {
        #expect(try await client.credits.reserve(for: present, credits: 1).success)
        _ = try await client.credits.usage(of: present)
        calls += 1
      }
      let made = try await client.mockups.generate(
        for: present, assets: [asset], scenes: ["bedroom"])
      #expect(made.results.map(\.success) == [true])
      var claimed: [ClaimedMockup] = []
      try await eventually("the mockup is claimed") {
        claimed = try await client.mockups.claim(worker: "w")
        return !claimed.isEmpty
      }
      #expect(claimed.map(\.mockup?.userID) == [present.wireText])
      // The entry belongs to the partition that answers, and so does the batch.
      let recorded = try await client.performance.record(
        [.init(userID: present.wireText, mockupID: claimed[0].mockup?.mockupID ?? "", pins: 2)],
        batch: .ofPartition(1))
      #expect(recorded.counted == 1)
      try await fixture.server.metrics(having: [
        #"mockupd_partition_up{partition="0"} 0"#, #"mockupd_partition_up{partition="1"} 1"#,
        "mockupd_database_up 1",
      ])
      #expect(statuses.withLockedValue { $0.allSatisfy { $0 == .serving } && !$0.isEmpty })

      try fixture.partitions[0].resume()
      for task in heldUp { try await task.value }
      try await fixture.server.metrics(having: [#"mockupd_partition_up{partition="0"} 1"#])
      let log = String(fixture.server.process.errors.dropFirst(logged))
      let warnings = log.matches(of: /partition does not complete writes partition=0 reason/)
      #expect(warnings.count == 1, "\(log)")
      #expect(try await client.credits.usage(of: absent).held == 21)
      #expect(try await client.credits.reserve(for: absent, credits: 1).success)
      #expect(statuses.withLockedValue { $0.allSatisfy { $0 == .serving } })
    }
  }

  @Test func `a partition that is back is served while another one hangs`() async throws {
    // No statement ends by its time limit during the test.
    let settings = ["MOCKUPD_DATABASE_STATEMENT_TIMEOUT_SECONDS": "86400"]
    try await SeparatePartitions.with(settings: settings) { fixture, client in
      let (absent, present) = (fixture.users[0], fixture.users[1])
      for user in fixture.users {
        #expect(try await client.credits.reserve(for: user, credits: 1).success)
      }
      try fixture.partitions[0].pause()
      let waiting = Task { _ = try await client.credits.reserve(for: absent, credits: 1) }
      let maintenance = fixture.partitions[1].maintenance
      try await maintenance.run("ALTER DATABASE postgres ALLOW_CONNECTIONS false")
      try await maintenance.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'")
      let health = HealthClient(Client(path: fixture.server.socket))
      try await eventually("no partition serves") {
        try await health.check(HealthCheckRequest()).status == .notServing
      }
      try await maintenance.run("ALTER DATABASE postgres ALLOW_CONNECTIONS true")
      try await eventually("the partition is served") {
        (try? await client.credits.reserve(for: present, credits: 1)) != nil
      }
      try fixture.partitions[0].resume()
      _ = await waiting.result
    }
  }

  @Test func `a server starts, and serves, while a partition is unavailable`() async throws {
    try await SeparatePartitions.with { fixture, client in
      try await fixture.partitions[0].stop()
      for _ in 0..<20 {
        #expect(try await client.credits.reserve(for: fixture.users[1], credits: 1).success)
      }
      let error = await #expect(throws: RPCError.self) {
        try await client.credits.reserve(for: fixture.users[0], credits: 1)
      }
      #expect(error?.code == .unavailable)
      try await withTemporaryFolder { folder in
        let other = try await RunningServer.start(on: fixture.proxy, folder: folder)
        try await MockupClient.withConnection(to: .unixSocket(path: other.socket)) { client in
          let reserved = try await client.credits.reserve(for: fixture.users[1], credits: 1)
          #expect(reserved.success)
        }
        _ = await other.stop()
      }
      try await fixture.partitions[0].start()
      try await eventually("the partition is back") {
        (try? await client.credits.reserve(for: fixture.users[0], credits: 1)) != nil
      }
    }
  }
}

extension SeparatePartitions {
  fileprivate func makeAsset(of user: UUID) async throws -> UUID {
    let asset = UUID()
    try await partitions[1].database.run(
      "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
    return asset
  }
}
