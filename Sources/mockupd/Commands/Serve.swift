internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import StandardStreams
internal import Systemd
internal import UnixSignals

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve calls until SIGTERM or SIGINT.",
    discussion: """
      At the first signal, the server stops accepting calls, finishes the calls in flight, and \
      exits with code 0. While the database is unreachable, hangs or is read-only, calls are \
      answered with UNAVAILABLE. A database with a wrong schema is an error at the start; later, \
      the server waits until the schema matches again.

      The exit code is 78 if a setting is not valid, so that a service manager can tell that a \
      restart does not help. `mockupd check` checks the settings without serving calls.

      SIGHUP reloads the settings and applies their access policy; other settings require a \
      restart. A socket passed by systemd (LISTEN_FDS) is used as it is: socket.path, socket.mode, \
      socket.group and socket.backlog are then ignored. NOTIFY_SOCKET and WATCHDOG_USEC are honored.

      Log lines, and the error that ends the server, are written to standard error in the format \
      log.format. If the format is not known, because the settings are not valid, the error is \
      plain text.
      """)

  @OptionGroup var flags: SettingsFlags

  func run() async throws {
    let passed: PassedParts
    let reloads: UnixSignalsSequence
    var settings: Settings
    do {
      passed = try PassedParts.take()
      // Installed before the settings are read, because SIGHUP ends the program by default.
      reloads = await UnixSignalsSequence(trapping: .sighup)
      settings = try await Settings(flags)
    } catch {
      throw await Self.reported(error, flags)
    }
    let telemetry = Telemetry()
    let log = Log(settings) { telemetry.logLineLost() }
    for warning in SettingKey.warnings(about: ProcessInfo.processInfo.environment.keys) {
      log.logger.warning("\(warning)")
    }
    do {
      try settings.fitConnectionsToDescriptors(logger: log.logger)
      try await ServerProgram(
        settings: settings, telemetry: telemetry, logger: log.logger,
        notifier: passed.notifier, inherited: passed.socket?.descriptor,
        watchdog: passed.watchdog, reloads: (flags: flags, signals: reloads),
        // For a parent process that waits until the server is ready.
        onReady: { LineWriter(STDOUT_FILENO).write("ready \($0)") }
      ).run()
      await log.flush()
    } catch {
      log.writeEnd(because: Self.message(for: error))
      await log.flush()
      throw Self.silent(error)
    }
  }

  /// Writes an error that the settings have, in the format of the log if it is one for programs.
  ///
  /// - Returns: The error to end the program with.
  private static func reported(_ error: any Error, _ flags: SettingsFlags) async -> any Error {
    guard let format = await SettingsReader.logFormat(flags), format != .text else { return error }
    let log = Log(format, level: .error)
    log.writeEnd(because: message(for: error))
    await log.flush()
    return silent(error)
  }

  /// Returns an error with the same exit code, of which nothing is written.
  private static func silent(_ error: any Error) -> CommandError {
    CommandError(
      lines: [],
      exitCode: (error as? any ErrorWithExitCode)?.exitCode ?? exitCode(for: error).rawValue)
  }
}

/// The parts that the service manager has passed to this process.
private struct PassedParts {
  var socket: ListenDescriptors.Socket?
  var notifier: Notifier
  var watchdog: WatchdogInterval?

  /// Removes the variables that describe the parts from the environment, which no other thread may
  /// read yet.
  static func take() throws -> PassedParts {
    let sockets = try ListenDescriptors.take().sockets
    let notifier = try Notifier.take()
    let watchdog = try WatchdogInterval.take()
    guard sockets.count <= 1 else { throw TooManySockets(count: sockets.count) }
    return PassedParts(socket: sockets.first, notifier: notifier, watchdog: watchdog)
  }
}

/// The error that the service manager passed more than one socket.
private struct TooManySockets: Error, CustomStringConvertible {
  let count: Int

  var description: String { "LISTEN_FDS passes \(count) sockets, but mockupd serves only one" }
}
