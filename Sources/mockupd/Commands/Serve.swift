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
      restart. A socket passed by systemd (LISTEN_FDS) is used as it is: socket.path, socket.mode \
      and socket.group are then ignored. NOTIFY_SOCKET and WATCHDOG_USEC are honored.
      """)

  @OptionGroup var flags: SettingsFlags

  func run() async throws {
    // These calls remove variables from the environment, which no other thread may read yet.
    let sockets = try ListenDescriptors.take().sockets
    let notifier = try Notifier.take()
    let watchdog = try WatchdogInterval.take()
    guard sockets.count <= 1 else { throw TooManySockets(count: sockets.count) }

    // Installed before the settings are read, because SIGHUP ends the program by default.
    let reloads = await UnixSignalsSequence(trapping: .sighup)
    var settings = try await Settings(flags)
    let telemetry = Telemetry()
    let log = Log(settings) { telemetry.logLineLost() }
    for warning in SettingKey.warnings(about: ProcessInfo.processInfo.environment.keys) {
      log.logger.warning("\(warning)")
    }
    do {
      try settings.fitConnectionsToDescriptors(logger: log.logger)
      try await ServerProgram(
        settings: settings, telemetry: telemetry, logger: log.logger, notifier: notifier,
        inherited: sockets.first?.descriptor, watchdog: watchdog,
        reloads: (flags: flags, signals: reloads),
        // For a parent process that waits until the server is ready.
        onReady: { LineWriter(STDOUT_FILENO).write("ready \($0)") }
      ).run()
      await log.flush()
    } catch {
      await log.flush()
      throw error
    }
  }
}

/// The error that the service manager passed more than one socket.
private struct TooManySockets: Error, CustomStringConvertible {
  let count: Int

  var description: String { "LISTEN_FDS passes \(count) sockets, but mockupd serves only one" }
}
