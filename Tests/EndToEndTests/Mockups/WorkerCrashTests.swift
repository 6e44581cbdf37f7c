import Foundation
import MockupClient
import TestSupport
import Testing

/// Workers that are killed while they work.
///
/// To repeat the random choices of a failed run, set `MOCKUPD_TEST_SEED=<seed>`. The exact times of
/// the kills still differ from run to run.
@Suite struct WorkerCrashTests {
  private static let users = 20
  private static let scenes = ["bedroom", "therapy_office", "living_room", "reading_nook"]
  private static let assetsPerUser = 25

  /// SQL statements that make a trigger record each change of a mockup's status.
  private static let statusRecorder = [
    "CREATE TABLE changes (mockup_id uuid, status text)",
    """
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      INSERT INTO public.changes VALUES (NEW.id, NEW.status);
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER note AFTER UPDATE OF status ON mockups
    FOR EACH ROW EXECUTE FUNCTION note()
    """,
  ]

  @Test(.timeLimit(.minutes(15)))
  func `killed workers leave each mockup completed and charged once or failed without charge`()
    async throws
  {
    var random = SeededGenerator(printingSeedOf: "MOCKUPD_TEST_SEED")
    let seed = random.next()
    try await MigratedDatabase.with { database in
      for statement in Self.statusRecorder { try await database.owner.run(statement) }
      try await database.withServer { server in
        try await withTemporaryFolder { folder in
          let workers = try (1...8).map { number in
            try RunningProgram.worker(
              at: server.socket, name: "worker-\(number)", seed: seed, folder: folder)
          }
          // The numbers of finished mockups at which workers are killed.
          let thresholds = (0..<3).map { _ in Int.random(in: 0...1000, using: &random) }.sorted()
          async let killed: Void = {
            for (worker, threshold) in zip(workers, thresholds) {
              try await eventually("\(threshold) mockups are finished") {
                try await database.numbers(
                  "SELECT count(*) FROM mockups WHERE status IN ('completed', 'failed')"
                ).first ?? 0 >= threshold
              }
              worker.signal(SIGKILL)
              _ = await worker.ending()
            }
          }()
          try await Self.generate(database, server)
          try await killed
          try await eventually("all mockups are finished") {
            try await database.numbers(
              "SELECT count(*) FROM mockups WHERE status IN ('pending', 'generating')") == [0]
          }
          for worker in workers.dropFirst(3) {
            worker.signal(SIGTERM)
            let ending = await worker.ending()
            #expect(ending.exitCode == 0, "\(ending)")
          }
        }
      }
      try await Self.check(database)
    }
  }

  /// Requests 2000 mockups: 100 for each user, in four requests a user.
  private static func generate(_ database: MigratedDatabase, _ server: RunningServer) async throws {
    try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<users {
          let user = try await database.makeUser()
          let assets = (0..<assetsPerUser).map { _ in UUID() }
          let values = assets.map { "('\($0)'::uuid, '\(user)'::uuid)" }
          try await database.owner.run(
            "INSERT INTO assets (id, user_id) VALUES \(values.joined(separator: ", "))")
          for scene in scenes {
            group.addTask {
              let made = try await client.mockups.generate(
                for: user, assets: assets, scenes: [scene], credits: 2)
              #expect(made.results.filter(\.success).count == assetsPerUser)
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  private static func check(_ database: MigratedDatabase) async throws {
    #expect(try await database.numbers("SELECT count(*) FROM mockups") == [2000])
    let ends = try await database.texts(
      """
      SELECT DISTINCT m.status || ' after ' || count(c) || ', charged by ' || (
        SELECT count(*) FROM mockup_credit_usage AS e WHERE e.mockup_id = m.id)
      FROM mockups AS m
      LEFT JOIN changes AS c ON c.mockup_id = m.id AND c.status IN ('completed', 'failed')
      GROUP BY m.id ORDER BY 1
      """)
    #expect(ends == ["completed after 1, charged by 1", "failed after 1, charged by 0"])
    let wronglyCharged = try await database.numbers(
      """
      SELECT count(*) FROM mockups AS m WHERE credits_used <> (
        SELECT coalesce(sum(credits), 0) FROM mockup_credit_usage WHERE mockup_id = m.id)
      """)
    #expect(wronglyCharged == [0])
    // Other workers finished the mockups that the killed workers had claimed.
    let attempts = try await database.numbers(
      """
      SELECT count(*) FROM mockupd.mockup_jobs AS j JOIN mockups AS m ON m.id = j.mockup_id
      WHERE j.attempt > 1
      """)
    print("\(attempts.first ?? 0) mockups took more than one attempt")
    #expect(try await database.discrepancies().isEmpty)
  }
}

extension RunningProgram {
  fileprivate static func worker(
    at socket: String, name: String, seed: UInt64, folder: String
  ) throws -> RunningProgram {
    try RunningProgram(
      Program.executable(named: "Worker"), [socket, name, "\(seed)"], environment: [:],
      folder: URL(filePath: folder))
  }
}
