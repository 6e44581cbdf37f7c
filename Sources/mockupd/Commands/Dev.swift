internal import ArgumentParser
internal import Foundation
internal import Logging
internal import StandardStreams
internal import Systemd
internal import UnixSignals

struct Dev: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Try everything: serve a year of sample data from a private PostgreSQL.",
    discussion: """
      Creates a PostgreSQL cluster in a temporary folder (in TMPDIR, or /tmp), applies the \
      migrations, makes four users with a year of ledger entries, holds, mockups and one \
      unresolved reservation, and serves them on a socket in the same folder. Prints commands to \
      try. Everything is removed at SIGINT, SIGTERM or SIGHUP. What a killed `mockupd dev` has \
      left is removed at the next start.

      Requires the programs of PostgreSQL 15 or later (Debian: `apt-get install postgresql`); no \
      existing cluster is used or changed. Run by root, PostgreSQL runs as the user postgres. \
      Environment variables of settings have no effect.
      """)

  @Option(help: "The log level: trace, debug, info, notice, warning, error or critical.")
  var logLevel = "warning"

  func run() async throws {
    let start = ContinuousClock.now
    // Removes a variable from the environment, which no other thread may read yet.
    let notifier = try Notifier.take()
    // From here on, a signal does not end the program before everything is removed.
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
    let flags = try SettingsFlags.parse(["--log-level", logLevel])
    let programs = try PostgresPrograms.find()
    let parent = try temporaryFolder()
    try await removeAbandoned(in: parent)

    let server = DevelopmentServer(in: try DevelopmentFolder.create(in: parent))
    let (stopRequests, stop) = AsyncStream<Void>.makeStream()
    let work = Task {
      try await serve(
        server, programs, flags, notifier, start: start, stopRequests: stopRequests)
    }
    let listener = Task {
      for await _ in signals {
        // Ends the preparation, or the server if it is prepared.
        work.cancel()
        stop.yield()
      }
    }
    let result = await work.result
    await StandardError.write(line: "stopping, and removing \(server.folder.path)")
    var failure: (any Error)?
    do {
      try result.get()
    } catch is CancellationError {
      // A signal ended the preparation.
    } catch {
      failure = error
    }
    do {
      try await server.remove()
    } catch {
      if failure != nil {
        let reason = plainText(ofFileError: error)
        await StandardError.write(line: "cannot remove the folder: \(reason)")
      }
      failure = failure ?? error
    }
    listener.cancel()
    if let failure { throw failure }
  }

  private func serve(
    _ server: DevelopmentServer, _ programs: PostgresPrograms, _ flags: SettingsFlags,
    _ notifier: Notifier, start: ContinuousClock.Instant, stopRequests: AsyncStream<Void>
  ) async throws {
    try server.checkPath()
    var flags = flags
    flags.socketPath = server.socket
    flags.socketMode = "0600"
    flags.databaseUrl = server.databaseURL
    var settings = try await Settings(flags, from: .flags)
    let telemetry = Telemetry()
    let log = Log(settings) { telemetry.logLineLost() }
    try settings.fitConnectionsToDescriptors(logger: log.logger)

    let sample: SampleLedger
    let stuck: SampleLedger.Stuck
    do {
      (sample, stuck) = try await server.prepare(programs, end: Date()) { step in
        await StandardError.write(line: step)
      }
    } catch {
      // The cancellation has various errors.
      try Task.checkCancellation()
      throw error
    }
    try Task.checkCancellation()
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let programFolder = Instructions.programFolder(
      of: program, path: ProcessInfo.processInfo.environment["PATH"] ?? "")
    let output = LineWriter(STDOUT_FILENO)
    // The task may be cancelled, which would end the services at once.
    let running = Task { [settings] in
      try await ServerProgram(
        settings: settings, telemetry: telemetry, logger: log.logger, notifier: notifier,
        stopRequests: stopRequests,
        onReady: { _ in
          output.write(
            Instructions(
              server: server, sample: sample, stuck: stuck, startTime: start.duration(to: .now),
              programFolder: programFolder
            ).text)
        }
      ).run()
    }
    let result = await running.result
    await log.flush()
    try result.get()
  }

  /// Returns the folder for temporary files, with a path that no shell and no URL changes.
  private func temporaryFolder() throws -> String {
    let folder = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 }
    let path = URL(filePath: folder ?? "/tmp").standardizedFileURL.path
    let isPlain = path.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "/._-".utf8.contains(byte)
      }
    }
    guard isPlain else {
      throw CommandError(
        "the path \(path) has other characters than letters, digits and /._-; set TMPDIR to "
          + "another folder", exitCode: CommandError.usage)
    }
    return path
  }

  private func removeAbandoned(in parent: String) async throws {
    for folder in DevelopmentFolder.abandoned(in: parent) {
      await StandardError.write(line: "removing \(folder.path), left by a killed `mockupd dev`")
      try await DevelopmentServer(in: folder).remove()
    }
  }
}
