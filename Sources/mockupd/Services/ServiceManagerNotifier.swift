internal import Logging
internal import NIOConcurrencyHelpers
internal import Systemd

/// The notifier that reports the server's state to the service manager, if there is one.
final class ServiceManagerNotifier: Sendable {
  private enum Phase { case starting, ready, stopping }

  private let notifier: Notifier
  private let logger: Logger
  /// The phase of the server; its lock is held while a message is sent, which keeps messages in
  /// order.
  private let phase = NIOLockedValueBox(Phase.starting)

  init(_ notifier: Notifier, logger: Logger) {
    self.notifier = notifier
    self.logger = logger
  }

  /// Reports what the server waits for before it is ready.
  func starting(_ status: String) {
    tell(.status(status))
  }

  /// Reports that the server is ready, unless it is already stopping.
  func ready(_ status: String) {
    phase.withLockedValue { phase in
      guard phase == .starting else { return }
      phase = .ready
      tell(.ready, .status(status))
    }
  }

  /// Reports that the server is stopping.
  func stopping() {
    phase.withLockedValue { phase in
      phase = .stopping
      tell(.stopping, .status("finishing calls in flight"))
    }
  }

  /// Runs a closure that reloads the settings, and reports the reload.
  ///
  /// A server that is starting or stopping does not report the reload, because the end of a reload
  /// can only be reported as `READY=1`.
  func whileReloading(_ body: () async -> Void) async {
    let isAnnounced = phase.withLockedValue { phase in
      if phase == .ready { tell(.reloading) }
      return phase == .ready
    }
    await body()
    phase.withLockedValue { phase in
      if isAnnounced, phase == .ready { tell(.ready) }
    }
  }

  /// Reports that the server is alive.
  func beat() {
    tell(.watchdog)
  }

  private func tell(_ notifications: Notification...) {
    do {
      try notifier.notify(notifications)
    } catch {
      logger.warning("cannot notify the service manager", metadata: ["error": "\(error)"])
    }
  }
}
