internal import Logging
internal import NIOConcurrencyHelpers
internal import Systemd

/// Tells whoever supervises the process how it stands: systemd, or nobody.
final class Supervisor: Sendable {
  private enum Phase { case starting, ready, stopping }

  private let notifier: Notifier
  private let logger: Logger
  /// Messages are sent under its lock, so that they leave in the order of what they tell.
  private let phase = NIOLockedValueBox(Phase.starting)

  init(_ notifier: Notifier, logger: Logger) {
    self.notifier = notifier
    self.logger = logger
  }

  /// What it waits for before it is ready.
  func starting(_ status: String) {
    tell(.status(status))
  }

  func ready(_ status: String) {
    phase.withLockedValue { phase in
      guard phase == .starting else { return }
      phase = .ready
      tell(.ready, .status(status))
    }
  }

  func stopping() {
    phase.withLockedValue { phase in
      phase = .stopping
      tell(.stopping, .status("answering the calls that run"))
    }
  }

  /// Runs what reads settings again. Who is not ready yet does not become so by it, nor who stops.
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

  /// Says that it is alive.
  func beat() {
    tell(.watchdog)
  }

  private func tell(_ notifications: Notification...) {
    do {
      try notifier.notify(notifications)
    } catch {
      logger.warning("the service manager is not told", metadata: ["error": "\(error)"])
    }
  }
}
