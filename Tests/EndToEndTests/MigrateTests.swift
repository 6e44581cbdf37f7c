import Foundation
import Postgres
import TestSupport
import Testing

/// `mockupd migrate`, and what a server does with a database that is not its own version's.
@Suite struct MigrateTests {
  /// Runs a closure with a database that has nothing in it.
  private static func withEmptyDatabase(
    _ body: (PostgresConfiguration) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      try await database.owner.run("CREATE SCHEMA extensions")
      for schema in ["mockupd", "public", "auth"] {
        try await database.owner.run("DROP SCHEMA IF EXISTS \(schema) CASCADE")
      }
      try await database.owner.run("CREATE SCHEMA public")
      try await body(database.owner)
    }
  }

  private static func mockupd(
    _ arguments: [String], _ database: PostgresConfiguration
  ) async throws -> Program.Ending {
    try await Program.mockupd.run(
      arguments, environment: ["MOCKUPD_DATABASE_URL": database.url])
  }

  @Test func anEmptyDatabaseIsMigratedOnce() async throws {
    try await Self.withEmptyDatabase { database in
      func words(_ ending: Program.Ending) -> [Substring] {
        ending.output.split(separator: "\n").map { $0.prefix { $0 != " " } }
      }
      let before = try await Self.mockupd(["migrate", "--status"], database)
      #expect(before.exitCode == 0, "\(before)")
      #expect(Set(words(before)) == ["pending"])
      #expect(before.output.contains("pending 007_mockups\n"))

      let first = try await Self.mockupd(["migrate"], database)
      #expect(first.exitCode == 0, "\(first)")
      #expect(first.output == before.output.replacing("pending", with: "applied"))

      let second = try await Self.mockupd(["migrate"], database)
      #expect(second.exitCode == 0)
      #expect(second.output == "nothing to do\n")
      #expect(try await Self.mockupd(["migrate", "--status"], database).output == first.output)
    }
  }

  @Test func severalMigratorsAtOnceDoItOnce() async throws {
    try await Self.withEmptyDatabase { database in
      let endings = try await withThrowingTaskGroup(of: Program.Ending.self) { group in
        for _ in 0..<3 { group.addTask { try await Self.mockupd(["migrate"], database) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(endings.allSatisfy { $0.exitCode == 0 }, "\(endings)")
      #expect(endings.filter { $0.output == "nothing to do\n" }.count == 2)
    }
  }

  @Test func aServerRefusesADatabaseThatIsNotMigratedAndSaysWhatToDo() async throws {
    try await Self.withEmptyDatabase { database in
      try await withTemporaryFolder { folder in
        let ending = try await Self.mockupd(
          ["serve", "--socket", "\(folder)/socket", "--log-level", "critical"], database)
        #expect(ending.exitCode == 1)
        #expect(ending.output.isEmpty)
        #expect(ending.errorLines.count == 1, "\(ending)")
        #expect(ending.errors.contains("run `mockupd migrate` first"), "\(ending)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/socket"))
      }
    }
  }

  @Test(arguments: [
    (
      "INSERT INTO mockupd.schema_migrations (version, name, checksum) VALUES (999, 'later', 'x')",
      "999"
    ),
    ("UPDATE mockupd.schema_migrations SET checksum = 'other' WHERE version = 9", "changed"),
  ])
  func aDatabaseOfAnotherVersionIsRefused(change: String, says: String) async throws {
    try await MigratedDatabase.with { database in
      try await database.owner.run(change)
      try await withTemporaryFolder { folder in
        for command in [
          ["serve", "--socket", "\(folder)/socket", "--log-level", "critical"], ["migrate"],
          ["migrate", "--status"],
        ] {
          let ending = try await Self.mockupd(command, database.owner)
          #expect(ending.exitCode == 1)
          #expect(ending.errorLines.count == 1, "\(ending)")
          #expect(ending.errors.contains(says), "\(ending)")
        }
      }
    }
  }

  @Test func aDatabaseThatIsAwayIsOneLineWithoutThePassword() async throws {
    let nowhere = PostgresConfiguration(
      url: "postgresql://u:hunter2@/db?host=/nowhere", applicationName: "test")
    let ending = try await Program.mockupd.run(
      ["migrate"],
      environment: [
        "MOCKUPD_DATABASE_URL": nowhere.url, "MOCKUPD_DATABASE_CONNECT_SECONDS": "1",
      ])
    #expect(ending.exitCode == 1)
    #expect(ending.errorLines.count == 1, "\(ending)")
    #expect(ending.errors.contains("not reachable"), "\(ending)")
    #expect(!ending.description.contains("hunter2"))
  }
}
