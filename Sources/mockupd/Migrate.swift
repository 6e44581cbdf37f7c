internal import ArgumentParser
internal import Foundation
internal import MockupStore
internal import Postgres
internal import SystemPackage

struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring the database's schema to this program's version.",
    discussion: """
      Each migration is applied once, in order, in a transaction of its own. The login needs to own \
      the database, or to be Supabase's `postgres`; the server's login need not and should not. \
      Several may run at once, also through a connection pooler.

      Prints each migration that it has applied to standard output. Warnings of the database, and \
      the sessions whose locks it waits for, go to standard error.
      """)

  @OptionGroup var flags: SettingsFlags

  @Flag(help: "Say what is applied and what is pending, and change nothing.")
  var status = false

  @Option(help: "How long to wait for a lock that another session holds, in seconds.")
  var lockTimeout = 600

  func validate() throws {
    guard (1...86_400).contains(lockTimeout) else {
      throw ValidationError("--lock-timeout must be between 1 and 86400 seconds")
    }
  }

  func run() async throws {
    let settings = try await Settings(flags)
    let migrator = try Migrator(
      configuration: settings.database, schema: Schema.name, migrations: Schema.migrations,
      lockTimeout: .seconds(lockTimeout), onEvent: Self.tell)
    do {
      if status {
        let status = try await migrator.status()
        for migration in status.applied {
          print(Self.line("applied", migration.version, migration.name))
        }
        for migration in status.pending {
          print(Self.line("pending", migration.version, migration.name))
        }
      } else if try await migrator.migrate().isEmpty {
        print("nothing to do")
      }
    } catch {
      throw Failure(description: error.report.printable)
    }
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Prints what happens, as it happens.
  private static func tell(_ event: MigrationEvent) {
    switch event {
    case .applied(let migration):
      write(line("applied", migration.version, migration.name), to: .standardOutput)
    case .notice(let notice):
      // Else the server tells what it skips because it is there, or is not.
      guard notice.severity == "WARNING" || notice.isRaised else { return }
      write("\(notice.severity): \(notice.message)", to: .standardError)
      if let detail = notice.detail { write("  detail: \(detail)", to: .standardError) }
    case .waiting(let sessions):
      let list = sessions.map(words).joined(separator: ", ")
      write("waiting for a lock of \(list)", to: .standardError)
    }
  }

  private static func words(_ session: BlockingSession) -> String {
    guard session.processID != 0 else { return "a prepared transaction" }
    var words = "process \(session.processID)"
    if !session.applicationName.isEmpty { words += " (\(session.applicationName))" }
    if let user = session.user { words += " of \(user)" }
    if let start = session.transactionStart {
      words += ", in a transaction since \(start.formatted(.iso8601))"
    }
    return words
  }

  private static func write(_ line: String, to file: FileDescriptor) {
    _ = try? file.writeAll("\(line.printable)\n".utf8)
  }

  private static func line(_ state: String, _ version: Int, _ name: String) -> String {
    let digits = String(version)
    return "\(state) \(String(repeating: "0", count: max(3 - digits.count, 0)))\(digits)_\(name)"
  }
}

extension String {
  /// The text for a terminal: control characters other than line feeds are escaped.
  fileprivate var printable: String {
    String(
      unicodeScalars.reduce(into: String.UnicodeScalarView()) { text, scalar in
        if scalar != "\n", scalar.properties.generalCategory == .control {
          text.append(contentsOf: scalar.escaped(asASCII: true).unicodeScalars)
        } else {
          text.append(scalar)
        }
      })
  }
}
