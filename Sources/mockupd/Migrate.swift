internal import ArgumentParser
internal import MockupStore
internal import Postgres

struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring the database's schema to this program's version.",
    discussion: """
      Each migration is applied once, in order, in a transaction of its own. The login needs to own \
      the database, or to be Supabase's `postgres`; the server's login need not and should not.
      """)

  @OptionGroup var flags: SettingsFlags

  @Flag(help: "Say what is applied and what is pending, and change nothing.")
  var status = false

  func run() async throws {
    let settings = try await Settings(flags)
    let migrator = try Migrator(
      configuration: settings.database, schema: Schema.name, migrations: Schema.migrations)
    if status {
      let status = try await migrator.status()
      for migration in status.applied {
        print(Self.line("applied", migration.version, migration.name))
      }
      for migration in status.pending {
        print(Self.line("pending", migration.version, migration.name))
      }
    } else {
      let applied = try await migrator.migrate()
      for migration in applied {
        print(Self.line("applied", migration.version, migration.name))
      }
      if applied.isEmpty { print("nothing to do") }
    }
  }

  private static func line(_ state: String, _ version: Int, _ name: String) -> String {
    let digits = String(version)
    return "\(state) \(String(repeating: "0", count: max(3 - digits.count, 0)))\(digits)_\(name)"
  }
}
