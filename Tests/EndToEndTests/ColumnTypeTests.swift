import Foundation
import MockupClient
import Postgres
import TestSupport
import Testing

/// Column types that are altered while a server runs and keeps answering calls.
@Suite struct ColumnTypeTests {
  /// Calls every method that reads or writes a table of the initial schema.
  private static func callEverything(_ client: MockupClient, _ user: UUID, _ asset: UUID)
    async throws
  {
    let mockups = client.mockups
    let keys = try await systemScenes(client)
    let made = try await mockups.generate(for: user, assets: [asset], scenes: keys)
    #expect(made.results.map(\.success) == [true, true], "\(made)")
    let claimed = try await mockups.claim(worker: "w", count: 2)
    try #require(claimed.count == 2)
    _ = try await mockups.heartbeat(claimed[0])
    _ = try await mockups.complete(
      claimed[0], MockupCompletion(fileURL: "https://a/b", fileKey: "b", credits: 1))
    _ = try await mockups.fail(claimed[1], error: "no")
    let id = try #require(UUID(uuidString: claimed[0].mockup?.mockupID ?? ""))
    _ = try await mockups.mockup(id, of: user)
    for try await _ in mockups.list(of: user) {}
    _ = try await mockups.approve(id, of: user)
    _ = try await client.performance.record([
      PerformanceEntry(userID: user.wireText, mockupID: id.wireText, pins: 1, impressions: 2)
    ])
    _ = try await mockups.regenerate(id, of: user)
    let again = try await mockups.claim(worker: "w")
    _ = try await mockups.complete(
      try #require(again.first), MockupCompletion(fileURL: "https://a/c", fileKey: "c", credits: 1))
    _ = try await mockups.reject(id, of: user)
    var watch = mockups.watch(of: user, startsWithCurrent: true).makeAsyncIterator()
    #expect(try await watch.next() != nil)
    _ = try await mockups.delete(id, of: user)

    let scenes = client.scenes
    let key = "own_\(UUID().uuidString.prefix(8).lowercased())"
    let created = try await scenes.create(key, for: user, name: "n", dmTemplateID: "t")
    let template = try #require(UUID(wireText: created.template?.templateID ?? ""))
    _ = try await scenes.update(template, of: user, name: "m")
    _ = try await scenes.template(template, seenBy: user)
    #expect(try await scenes.resolve(key, for: user).name == "m")
    for try await _ in scenes.templates(seenBy: user) {}
    #expect(try await scenes.delete(template, of: user))

    let credits = client.credits
    let reservation = UUID()
    #expect(try await credits.reserve(for: user, credits: 2, id: reservation).success)
    _ = try await credits.commit(reservation, of: user, credits: 1)
    _ = try await credits.usage(of: user)
    for try await entry in credits.ledger(of: user)
    where entry.reservationID == reservation.wireText {
      _ = try await credits.refund(
        try #require(UUID(uuidString: entry.entryID)), of: user, credits: 1)
    }
    for try await _ in credits.reservations(of: user) {}
    try await credits.export(of: user) { _ in }
    for try await _ in try client.admin.usageReport() {}
    _ = try await client.admin.setBudget(of: user, annual: 3000)
    _ = try await client.admin.serverInfo()
    try await client.admin.verifyLedger(of: user) { answers in
      while let answer = try await answers.next() { #expect(answer.discrepancy == nil) }
    }
  }

  /// Returns the keys of two system scenes.
  private static func systemScenes(_ client: MockupClient) async throws -> [String] {
    var keys: [String] = []
    for try await template in client.scenes.templates() { keys.append(template.sceneKey) }
    return Array(keys.prefix(2))
  }

  /// Returns another type that can hold the same values, or `nil` if the test knows none.
  private static func other(than type: String) -> String? {
    switch type {
    case "text": "varchar(5000)"
    case "character varying": "text"
    case "integer": "bigint"
    case "numeric": "numeric(20, 6)"
    case "timestamp with time zone": "timestamp(3) with time zone"
    default: nil
    }
  }

  @Test(arguments: ["mockups", "mockup_scene_templates", "mockup_credit_usage"])
  func `every call succeeds after the type of a column has changed`(
    table: String
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 100_000)
      let asset = UUID()
      try await database.owner.run(
        "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      let columns = try await database.withOwner { pool in
        try await pool.query(
          """
          SELECT column_name::text, data_type::text FROM information_schema.columns
          WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position
          """, [table]
        ) { row throws(PostgresError) in
          (name: try row.decode(String.self, at: 0), type: try row.decode(String.self, at: 1))
        }
      }
      // Plans belong to a connection: with only one, each call meets all plans that are cached.
      let settings = ["MOCKUPD_DATABASE_POOL_SIZE": "1"]
      try await database.withServer(settings: settings) { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          // PostgreSQL caches the generic plans of functions from the sixth run on.
          for _ in 0..<6 { try await Self.callEverything(client, user, asset) }
          var altered: [String] = []
          for column in columns {
            guard let type = Self.other(than: column.type) else { continue }
            do {
              try await database.owner.run(
                "ALTER TABLE public.\(table) ALTER \(column.name) TYPE \(type)")
            } catch let error as PostgresError where error.sqlState?.code == "0A000" {
              // PostgreSQL forbids the change: a trigger, policy or view depends on the column.
              continue
            }
            altered.append(column.name)
            do {
              try await Self.callEverything(client, user, asset)
            } catch {
              Issue.record("\(column.name) as \(type): \(error)\n\(server.process.errors)")
              return
            }
          }
          #expect(altered.count >= 3, "\(altered)")
        }
        #expect(!server.process.errors.contains("incident"), "\(server.process.errors)")
      }
    }
  }
}
