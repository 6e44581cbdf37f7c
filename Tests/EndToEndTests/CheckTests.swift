import Foundation
import MockupVersion
import Postgres
import TestSupport
import Testing

/// The check of settings and database, settings from credentials, and versions.
///
/// SettingsTests runs `mockupd check` with invalid settings.
@Suite struct CheckTests {
  private static let nowhere = "postgresql://u:hunter2@/db?host=/nowhere"

  private static func check(
    _ arguments: [String], _ environment: [String: String]
  ) async throws -> Program.Ending {
    let environment = environment.merging(["MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS": "1"]) {
      given, _ in given
    }
    return try await Program.mockupd.run(["check"] + arguments, environment: environment)
  }

  /// Runs the check of a database.
  private static func checkDatabase(
    _ url: String, _ environment: [String: String] = [:]
  ) async throws -> Program.Ending {
    try await check(
      ["--database"], environment.merging(["MOCKUPD_DATABASE_URL": url]) { $1 })
  }

  @Test func `valid settings are summarized without connecting to the database`() async throws {
    let ending = try await Self.check(
      ["--socket", "/run/a/b", "--socket-mode", "0600"],
      ["MOCKUPD_DATABASE_URL": Self.nowhere, "MOCKUPD_POLICY_READER": "gid:7,uid:5"])
    #expect(ending.exitCode == 0, "\(ending)")
    #expect(
      ending.output
        == "settings: valid\nsocket: /run/a/b (mode 0600)\npolicy: reader: uid 5, gid 7\n")
    #expect(ending.errors.isEmpty)
  }

  @Test func `a misspelt environment variable is a warning`() async throws {
    let ending = try await Self.check(
      [], ["MOCKUPD_DATABASE_URL": Self.nowhere, "MOCKUPD_LOG_LEVL": "info"])
    #expect(ending.exitCode == 0)
    #expect(ending.errorLines.count == 1)
    #expect(
      ending.errors.hasPrefix("warning: ignoring the environment variable MOCKUPD_LOG_LEVL:"),
      "\(ending)")
  }

  @Test func `a database with this schema is ready`() async throws {
    try await MigratedDatabase.with { database in
      let ending = try await Self.checkDatabase(database.service.url)
      #expect(ending.exitCode == 0, "\(ending)")
      #expect(ending.output.hasSuffix("\ndatabase: ready\n"), "\(ending)")
    }
  }

  @Test func `a database with another schema is refused`() async throws {
    try await MigratedDatabase.with { database in
      try await database.owner.run(
        "UPDATE mockupd.repeatable_migrations SET checksum = 'old' WHERE name = 'credits/settle'")
      let ending = try await Self.checkDatabase(database.service.url)
      #expect(ending.exitCode == 1)
      #expect(ending.errorLines.count == 1, "\(ending)")
      #expect(
        ending.errors.contains(": outdated function credits/settle; run `mockupd migrate`"),
        "\(ending)")
    }
  }

  @Test func `an unreachable database is reported without its password`() async throws {
    let ending = try await Self.checkDatabase(Self.nowhere)
    #expect(ending.exitCode == 69)
    #expect(ending.errorLines.count == 1, "\(ending)")
    #expect(
      ending.errors.split(separator: "the database is not reachable").count == 2, "\(ending)")
    #expect(!ending.description.contains("hunter2"))
  }

  @Test func `a read-only database is reported`() async throws {
    try await MigratedDatabase.with { database in
      let ending = try await Self.checkDatabase(
        database.service.url + "&options=-c%20default_transaction_read_only%3Don")
      #expect(ending.exitCode == 69)
      #expect(ending.errors.contains("the database is read-only"), "\(ending)")
    }
  }

  @Test func `a database that does not answer ends the check`() async throws {
    try await MigratedDatabase.with { database in
      let check = try await database.withOwner { pool in
        try await pool.withTransaction {
          transaction throws(PostgresError) -> Result<Program.Ending, any Error> in
          try await transaction.execute(Statement("LOCK TABLE mockupd.schema_migrations"))
          do {
            return .success(
              try await Self.checkDatabase(
                database.service.url, ["MOCKUPD_DATABASE_STATEMENT_TIMEOUT_SECONDS": "86400"]))
          } catch {
            return .failure(error)
          }
        }
      }
      let ending = try check.get()
      #expect(ending.exitCode == 69)
      #expect(ending.errors.contains("the database does not answer"), "\(ending)")
    }
  }

  @Test func `a credential overrides the file, and the environment overrides the credential`()
    async throws
  {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        func write(_ text: String, _ name: String) throws {
          try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        try write(#"{"database": {"url": "\#(Self.nowhere)"}}"#, "settings.json")
        try write(database.service.url + "\n", "database.url")
        let arguments = ["--database", "--config", "\(folder)/settings.json"]
        let credentials = ["CREDENTIALS_DIRECTORY": folder]
        #expect(try await Self.check(arguments, [:]).exitCode == 69)
        #expect(try await Self.check(arguments, credentials).exitCode == 0)
        let environment = credentials.merging(["MOCKUPD_DATABASE_URL": Self.nowhere]) { $1 }
        #expect(try await Self.check(arguments, environment).exitCode == 69)
      }
    }
  }

  @Test func `a credential that cannot be read or is empty is an invalid setting`() async throws {
    try await withTemporaryFolder { folder in
      let file = "\(folder)/database.listenerUrl"
      let environment = ["CREDENTIALS_DIRECTORY": folder, "MOCKUPD_DATABASE_URL": Self.nowhere]
      try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
      let unreadable = try await Self.check([], environment)
      #expect(unreadable.exitCode == 78, "\(unreadable)")
      #expect(unreadable.errors.contains("cannot read the credential \(file)"), "\(unreadable)")

      try FileManager.default.removeItem(atPath: file)
      try "\n".write(toFile: file, atomically: true, encoding: .utf8)
      let empty = try await Self.check([], environment)
      #expect(empty.exitCode == 78, "\(empty)")
      #expect(empty.errors.contains("database.listenerUrl"), "\(empty)")
    }
  }

  @Test(arguments: [Program.mockupd, .mockupctl])
  func `both programs print the same version`(program: Program) async throws {
    let ending = try await program.run(["--version"])
    #expect(ending.exitCode == 0)
    #expect(ending.output == "\(Version.text)\n")
  }
}
