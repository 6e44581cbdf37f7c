import Foundation
import MockupClient
import TestSupport
import Testing

/// Lists that exceed the size of one response, read from a real server.
@Suite(.timeLimit(.minutes(15))) struct LongListTests {
  private static func withServer(
    settings: [String: String] = [:],
    _ body: (MockupClient, MigratedDatabase, UUID) async throws -> Void
  ) async throws {
    try await withServer(settings: settings) { client, database, user, _ in
      try await body(client, database, user)
    }
  }

  private static func withServer(
    settings: [String: String] = [:],
    _ body: (MockupClient, MigratedDatabase, UUID, RunningServer) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 100_000)
      try await database.withServer(settings: settings) { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          try await body(client, database, user, server)
        }
      }
    }
  }

  /// Creates mockups with SQL, each with the given number of bytes of metadata.
  private static func makeMockups(
    _ count: Int, metadataBytes: Int, of user: UUID, in database: MigratedDatabase
  ) async throws {
    try await database.owner.run(
      """
      WITH asset AS (INSERT INTO assets (user_id) VALUES ('\(user)') RETURNING id)
      INSERT INTO mockups (user_id, asset_id, scene, file_url, file_key, status, dm_metadata)
      SELECT '\(user)', asset.id, 'bedroom', 'u', 'k', 'completed',
        jsonb_build_object('a', repeat('x', \(metadataBytes)))
      FROM asset, generate_series(1, \(count))
      """)
  }

  private static func makeAssets(
    _ count: Int, of user: UUID, in database: MigratedDatabase
  ) async throws -> [UUID] {
    let assets = (0..<count).map { _ in UUID() }
    let values = assets.map { "('\($0)'::uuid, '\(user)'::uuid)" }.joined(separator: ", ")
    try await database.owner.run("INSERT INTO assets (id, user_id) VALUES \(values)")
    return assets
  }

  @Test func `a list of mockups that exceeds one response is read in pages`() async throws {
    try await Self.withServer { client, database, user in
      try await Self.makeMockups(430, metadataBytes: 10_000, of: user, in: database)
      var ids: [String] = []
      for try await mockup in client.mockups.list(of: user) {
        #expect(mockup.dmMetadataJSON.utf8.count > 10_000)
        ids.append(mockup.mockupID)
      }
      #expect(ids.count == 430)
      let expected = try await database.texts(
        "SELECT id::text FROM mockups ORDER BY created_at DESC, id DESC")
      #expect(ids == expected)
    }
  }

  @Test func `a watch reports more mockups than fit in one response`() async throws {
    try await Self.withServer { client, database, user in
      try await Self.makeMockups(430, metadataBytes: 10_000, of: user, in: database)
      var ids: Set<String> = []
      for try await event in client.mockups.watch(of: user, startsWithCurrent: true) {
        guard case .changed(let mockup) = event.change else { continue }
        ids.insert(mockup.mockupID)
        if ids.count == 430 { break }
      }
    }
  }

  @Test func `a mockup that exceeds one response is named in the error`() async throws {
    try await Self.withServer { client, database, user in
      try await Self.makeMockups(1, metadataBytes: 5_000_000, of: user, in: database)
      let id = try #require(try await database.texts("SELECT id::text FROM mockups").first)
      func expectNamed(_ read: () async throws -> Void) async {
        await #expect {
          try await read()
        } throws: { error in
          let error = error as? RPCError
          return error?.code == .failedPrecondition
            && error?.message.hasPrefix("mockup \(id) has 5000") == true
        }
      }
      await expectNamed {
        for try await _ in client.mockups.list(of: user) {}
      }
      await expectNamed {
        _ = try await client.mockups.mockup(try #require(UUID(wireText: id)), of: user)
      }
      // The watch does not restart for ever.
      await expectNamed {
        for try await _ in client.mockups.watch(of: user, startsWithCurrent: true) {}
      }
    }
  }

  @Test func `a list of templates that exceeds one response is read in pages`() async throws {
    try await Self.withServer { client, database, user in
      try await database.owner.run(
        """
        INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id, config)
        SELECT '\(user)', 'k' || n, 'Own', 't', jsonb_build_object('a', repeat('x', 50000))
        FROM generate_series(1, 100) AS n
        """)
      var keys: Set<String> = []
      for try await template in client.scenes.templates(seenBy: user, ownOnly: true) {
        keys.insert(template.sceneKey)
      }
      #expect(keys.count == 100)
    }
  }

  @Test func `a claim returns no more mockups than fit in one response`() async throws {
    try await Self.withServer { client, database, user in
      try await database.owner.run(
        """
        INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id, config)
        VALUES ('\(user)', 'large', 'Own', 't', jsonb_build_object('a', repeat('x', 60000)))
        """)
      let assets = try await Self.makeAssets(100, of: user, in: database)
      let made = try await client.mockups.generate(for: user, assets: assets, scenes: ["large"])
      #expect(made.results.allSatisfy { $0.success })
      var claimed: [String] = []
      while claimed.count < 100 {
        let batch = try await client.mockups.claim(worker: "w", count: 100)
        try #require(!batch.isEmpty)
        #expect(batch.count < 100)
        claimed += batch.compactMap { $0.mockup?.mockupID }
      }
      #expect(Set(claimed).count == 100)
    }
  }

  @Test func `a mockup that exceeds a claim response fails and is not charged`() async throws {
    try await Self.withServer { client, database, user in
      let assets = [UUID(), UUID()]
      for asset in assets {
        try await database.owner.run(
          "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      }
      let first = try await client.mockups.generate(
        for: user, assets: [assets[0]], scenes: ["bedroom"])
      try await database.owner.run(
        "UPDATE mockups SET scene_config = jsonb_build_object('a', repeat('x', 5000000))")
      let second = try await client.mockups.generate(
        for: user, assets: [assets[1]], scenes: ["bedroom"])
      let claimed = try await client.mockups.claim(worker: "w", count: 10)
      #expect(claimed.map { $0.mockup?.mockupID } == second.results.map(\.mockupID))
      let failed = try await database.texts(
        "SELECT id::text || ' ' || (error_message LIKE 'the mockup exceeds %') FROM mockups "
          + "WHERE status = 'failed'")
      #expect(failed == first.results.map { "\($0.mockupID) true" })
      #expect(try await client.credits.usage(of: user).held == 1)
    }
  }

  @Test func `a replay of a generation leaves out URLs that do not fit`() async throws {
    try await Self.withServer { client, database, user in
      let assets = try await Self.makeAssets(500, of: user, in: database)
      let id = UUID()
      func generate() async throws -> GenerateMockupsResponse {
        try await client.mockups.generate(for: user, assets: assets, scenes: ["bedroom"], id: id)
      }
      let first = try await generate()
      try await database.owner.run("UPDATE mockups SET file_url = repeat('u', 4096)")
      let fitting = try await generate()
      #expect(fitting.results.map(\.url.utf8.count) == Array(repeating: 4096, count: 500))
      try await database.owner.run("UPDATE mockups SET file_url = repeat('u', 10000)")
      let again = try await generate()
      #expect(again.replayed)
      #expect(again.results.map(\.url) == Array(repeating: "", count: 500))
      #expect(again.results.map(\.mockupID) == first.results.map(\.mockupID))
    }
  }

  @Test func `a small message limit applies to every list`() async throws {
    try await Self.withServer(settings: ["MOCKUPD_LIMITS_MAX_MESSAGE_BYTES": "4096"]) {
      client, database, user in
      for _ in 0..<40 {
        let id = UUID()
        _ = try await client.credits.reserve(for: user, credits: 1, id: id)
        _ = try await client.credits.commit(id, of: user)
        _ = try await database.makeUser()
      }
      var reservations: Set<String> = []
      for try await reservation in client.credits.reservations(of: user) {
        reservations.insert(reservation.reservationID)
      }
      #expect(reservations.count == 40)
      var sequences: [Int64] = []
      for try await entry in client.credits.ledger(of: user) { sequences.append(entry.sequence) }
      #expect(sequences == (1...40).reversed())
      var exported: [Int64] = []
      try await client.credits.export(of: user) { piece in
        exported += piece.entries.map(\.sequence)
      }
      #expect(exported == Array(1...40))
      var users: Set<String> = []
      for order in [UsageOrder.unspecified, .used] {
        users = []
        for try await line in try client.admin.usageReport(order: order) {
          users.insert(line.userID)
        }
        #expect(users.count == 41)
      }
    }
  }

  @Test func `a claim leases no more mockups than fit into its response`() async throws {
    try await Self.withServer(settings: ["MOCKUPD_LIMITS_MAX_MESSAGE_BYTES": "4096"]) {
      client, database, user in
      try await database.owner.run(
        """
        INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id, config)
        VALUES ('\(user)', 'small', 'Own', 't', '{}')
        """)
      // One at a time, since the answers to more may not fit.
      for asset in try await Self.makeAssets(24, of: user, in: database) {
        _ = try await client.mockups.generate(for: user, assets: [asset], scenes: ["small"])
      }
      var ids: Set<String> = []
      while ids.count < 24 {
        let claimed = try await client.mockups.claim(worker: "w", count: 100)
        #expect(!claimed.isEmpty)
        guard !claimed.isEmpty else { break }
        ids.formUnion(claimed.compactMap(\.mockup?.mockupID))
      }
      #expect(try await database.texts("SELECT DISTINCT status FROM mockups") == ["generating"])
      #expect(ids.count == 24)
    }
  }

  @Test func `a batch whose answers may not fit is refused before it is written`() async throws {
    try await Self.withServer(settings: ["MOCKUPD_LIMITS_MAX_MESSAGE_BYTES": "65536"]) {
      client, database, user in
      let requests = (0..<512).map { _ in
        ReserveCreditsRequest(
          userID: user.uuidString, credits: 1, reservationID: UUID().uuidString,
          operation: .generation)
      }
      let error = await #expect(throws: RPCError.self) {
        try await client.credits.batchReserve(requests)
      }
      #expect(error?.code == .invalidArgument)
      #expect(error?.fieldViolations.map(\.field) == ["requests"])
      #expect(try await client.credits.usage(of: user).held == 0)
      let results = try await client.credits.batchReserve(Array(requests.prefix(32)))
      #expect(results.count == 32)
      let assets = try await Self.makeAssets(33, of: user, in: database)
      await #expect(throws: RPCError.self) {
        try await client.mockups.generate(for: user, assets: assets, scenes: ["bedroom"])
      }
      #expect(try await client.credits.usage(of: user).held == 32)
    }
  }

  @Test func `an export waits for a closure that is slower than the server`() async throws {
    try await Self.withServer { client, database, user, server in
      // About twice as many bytes as a client keeps for a slow reader.
      try await database.owner.run(
        """
        INSERT INTO mockup_credit_usage (
          user_id, credits, operation, balance_before, balance_after, year, month, sequence)
        SELECT '\(user)', 1, 'generation', 100000 - n + 1, 100000 - n, 2026, 1, n
        FROM generate_series(1, 60000) AS n
        """)
      let method = #"method="mockups.v1.CreditService/ExportCreditUsage""#
      var sequences: [Int64] = []
      try await client.credits.export(of: user) { chunk in
        if sequences.isEmpty {
          try await eventually("the stream is cancelled, since nobody reads it") {
            try await HTTP.get("/metrics", at: server.socket)
              .contains(#"ttrpc_server_calls_total{code="CANCELLED",\#(method)} 1"#)
          }
        }
        sequences += chunk.entries.map(\.sequence)
      }
      #expect(sequences.count == 60_000)
      #expect(sequences == sequences.sorted() && Set(sequences).count == 60_000)
    }
  }

  @Test func `two Unicode spellings of a scene get two results`() async throws {
    try await Self.withServer { client, database, user in
      let asset = UUID()
      try await database.owner.run(
        "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      let scenes = ["caf\u{E9}", "cafe\u{301}"]
      let response = try await client.mockups.generate(for: user, assets: [asset], scenes: scenes)
      #expect(response.results.map { Array($0.scene.utf8) } == scenes.map { Array($0.utf8) })
    }
  }
}
