internal import ArgumentParser
internal import Foundation
internal import MockupSchema
internal import Postgres
internal import StandardStreams
internal import VisibleText

struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring the database's schema to this program's version.",
    discussion: """
      Applies each versioned migration once, in order, and then the functions, views and triggers \
      whose text has changed; all in one transaction, so that a failure changes nothing. The login \
      must own the database, or be Supabase's `postgres`; the server's login should not be able to \
      migrate. Several migrators may run at once, also through a connection pooler.

      Prints what it has applied to standard output. Warnings of the database, and the sessions \
      whose locks it waits for, go to standard error.
      """)

  @OptionGroup var flags: SettingsFlags

  @Flag(help: "Print what is applied and what is pending, and change nothing.")
  var status = false

  @Option(
    parsing: .unconditional,
    help: "How long to wait for a lock that another session holds, in seconds.")
  var lockTimeout = 600

  func validate() throws {
    guard (1...86_400).contains(lockTimeout) else {
      throw ValidationError("--lock-timeout must be between 1 and 86400 seconds")
    }
  }

  func run() async throws {
    let settings = try await Settings(flags)
    let (events, continuation) = AsyncStream.makeStream(of: MigrationEvent.self)
    let migrator = try Schema.migrator(
      configuration: settings.database, lockTimeout: .seconds(lockTimeout),
      onEvent: { continuation.yield($0) })
    do {
      if status {
        return try await print(try await migrator.status())
      }
      // Events are printed as they happen, by a task of their own: writing may wait for the reader.
      async let printed: Void = Self.print(events)
      let result: Result<MigrationSet, any Error>
      do { result = .success(try await migrator.migrate()) } catch { result = .failure(error) }
      continuation.finish()
      try await printed
      if try result.get().isEmpty { try await StandardOutput.write(line: "nothing to do") }
    } catch let error as MigrationError {
      throw Failure(description: error.report)
    }
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private func print(_ status: MigrationStatus) async throws {
    let applied =
      status.applied.map { Self.name($0.version, $0.name) }
      + status.appliedRepeatable.map { $0.name.visible() }
    for name in applied { try await StandardOutput.write(line: "applied \(name)") }
    let pending =
      status.pending.versioned.map { Self.name($0.version, $0.name) }
      + status.pending.repeatable.map { $0.name.visible() }
    for name in pending { try await StandardOutput.write(line: "pending \(name)") }
  }

  private static func print(_ events: AsyncStream<MigrationEvent>) async throws {
    for await event in events {
      switch event {
      case .applied(let migration):
        try await StandardOutput.write(
          line: "applied \(name(migration.version, migration.name))")
      case .appliedRepeatable(let migration):
        try await StandardOutput.write(line: "applied \(migration.name.visible())")
      case .notice(let notice):
        // Notices of PostgreSQL's own, such as about objects that exist already, are left out.
        guard notice.severity == "WARNING" || notice.isRaised else { continue }
        await StandardError.write(line: "\(notice.severity): \(notice.message.visible())")
        if let detail = notice.detail {
          await StandardError.write(line: "  detail: \(detail.visible())")
        }
      case .waiting(let sessions):
        let list = sessions.map(words).joined(separator: ", ")
        await StandardError.write(line: "waiting for a lock of \(list.visible())")
      }
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

  /// A versioned migration's file name, without its extension.
  private static func name(_ version: Int, _ name: String) -> String {
    let digits = String(version)
    return String(repeating: "0", count: max(3 - digits.count, 0)) + digits + "_" + name.visible()
  }
}
