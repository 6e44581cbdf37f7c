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
      Applies each pending versioned migration in order, and then the functions, views and \
      triggers whose text has changed. All run in one transaction, so a failure changes nothing. \
      The login must own the database, or be Supabase's `postgres`; the server's login should not \
      be able to migrate. Several migrations may run at the same time, also through a connection \
      pooler: one waits for the other.

      Prints each migration to standard output when it begins ("applying"), and at the end, after \
      the commit, the number of migrations that were applied. Warnings of the database, and the \
      sessions whose locks the migration waits for, are printed to standard error when they arrive.

      With --export, the migrations that a folder lacks are written as files of SQL for another \
      tool, such as `supabase db push`; no database is needed. The files record themselves as \
      applied, so that both tools can be used.
      """)

  @OptionGroup var flags: SettingsFlags

  @Flag(help: "Print the applied and the pending migrations, and change nothing.")
  var status = false

  @Option(
    help: ArgumentHelp(
      "Write the migrations that a folder lacks as files, such as supabase/migrations.",
      valueName: "folder"),
    completion: .directory)
  var export: String?

  @Option(
    parsing: .unconditional,
    help: "The maximum wait for a lock that another session holds, in seconds: 1 to 86400.")
  var lockTimeout = 600

  func validate() throws {
    guard (1...86_400).contains(lockTimeout) else {
      throw ValidationError("--lock-timeout must be between 1 and 86400 seconds")
    }
    guard export == nil || !status else {
      throw ValidationError("--export cannot be combined with --status")
    }
  }

  func run() async throws {
    if let export { return try await write(to: URL(filePath: export)) }
    let settings = try await Settings(flags)
    let (events, continuation) = AsyncStream.makeStream(of: MigrationEvent.self)
    let migrator = try Schema.migrator(
      configuration: settings.database, lockTimeout: .seconds(lockTimeout),
      onEvent: { continuation.yield($0) })
    do {
      if status {
        return try await print(try await migrator.status())
      }
      // A separate task prints the events as they happen, because writing may wait for the reader.
      async let printed: Void = Self.print(events)
      let result: Result<MigrationSet, any Error>
      do { result = .success(try await migrator.migrate()) } catch { result = .failure(error) }
      continuation.finish()
      do {
        try await printed
      } catch {
        // A failed migration matters more than output that cannot be written.
        _ = try result.get()
        throw error
      }
      try await StandardOutput.write(line: Self.summary(try result.get()))
    } catch let error as MigrationError {
      throw Failure(description: error.report)
    }
  }

  /// Writes the files that a folder lacks, after all have been made.
  private func write(to folder: URL) async throws {
    let existing = try Self.orFailure("cannot read \(folder.relativePath)") {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      return try FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil)
    }.filter { $0.pathExtension == "sql" }.map { file in
      SchemaExport.File(
        name: file.lastPathComponent,
        text: try Self.orFailure("cannot read \(file.relativePath)") {
          try String(contentsOf: file, encoding: .utf8)
        })
    }
    let files = try SchemaExport.newFiles(beside: existing)
    for file in files {
      let path = folder.appending(path: file.name)
      try Self.orFailure("cannot write \(path.relativePath)") {
        try Data(file.text.utf8).write(to: path, options: .withoutOverwriting)
      }
      try await StandardOutput.write(line: "exported \(file.name)")
    }
    if files.isEmpty { try await StandardOutput.write(line: "nothing to do") }
  }

  /// Runs a closure that uses files, and adds the action to its error.
  private static func orFailure<Value>(
    _ action: String, _ body: () throws -> Value
  ) throws(Failure) -> Value {
    do {
      return try body()
    } catch {
      throw Failure(description: "\(action): \(plainText(ofFileError: error))")
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

  private static func summary(_ applied: MigrationSet) -> String {
    let count = applied.versioned.count + applied.repeatable.count
    return count == 0 ? "nothing to do" : "applied \(count) migration\(count == 1 ? "" : "s")"
  }

  private static func print(_ events: AsyncStream<MigrationEvent>) async throws {
    var failure: (any Error)?
    // After a failure of standard output, the lines for standard error are still written.
    func printOutput(_ line: String) async {
      guard failure == nil else { return }
      do { try await StandardOutput.write(line: line) } catch { failure = error }
    }
    for await event in events {
      switch event {
      case .applying(let migration):
        await printOutput("applying \(name(migration.version, migration.name))")
      case .applyingRepeatable(let migration):
        await printOutput("applying \(migration.name.visible())")
      case .notice(let notice):
        // PostgreSQL's own notices are left out, for example that an object already exists.
        guard notice.severity == "WARNING" || notice.isRaised else { continue }
        await StandardError.write(line: "\(notice.severity): \(notice.message.visible())")
        if let detail = notice.detail {
          await StandardError.write(line: "  detail: \(detail.visible())")
        }
      case .waiting(let sessions):
        let list = sessions.map(describe).joined(separator: ", ")
        await StandardError.write(line: "waiting for a lock held by \(list.visible())")
      }
    }
    if let failure { throw failure }
  }

  private static func describe(_ session: BlockingSession) -> String {
    guard session.processID != 0 else { return "a prepared transaction" }
    var text = "process \(session.processID)"
    if !session.applicationName.isEmpty { text += " (\(session.applicationName))" }
    if let user = session.user { text += " of \(user)" }
    if let start = session.transactionStart {
      text += ", in a transaction since \(start.formatted(.iso8601))"
    }
    return text
  }

  /// Returns the file name of a versioned migration, without its extension.
  private static func name(_ version: Int, _ name: String) -> String {
    let digits = String(version)
    return String(repeating: "0", count: max(3 - digits.count, 0)) + digits + "_" + name.visible()
  }
}
