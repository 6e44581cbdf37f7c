internal import Logging
internal import MockupService
internal import ServiceLifecycle
internal import TTRPC
internal import UnixSignals

/// Reads the settings again at each SIGHUP, and puts their policy in the place of the one that holds.
/// All else stays as it was at the start.
struct ReloadService: ServiceLifecycle.Service, CustomStringConvertible {
  let signals: UnixSignalsSequence
  let flags: SettingsFlags
  let access: AccessControl
  let server: Server
  let supervisor: Supervisor
  let logger: Logger

  var description: String { "reload" }

  func run() async throws {
    for await _ in signals.cancelOnGracefulShutdown() {
      await supervisor.whileReloading { await reload() }
    }
  }

  private func reload() async {
    let policy: AccessPolicy
    do {
      policy = try await Settings(flags).policy
    } catch {
      logger.error(
        "the settings cannot be used: the policy stays as it is", metadata: ["error": "\(error)"])
      return
    }
    guard policy != access.policy else {
      logger.notice("the policy is the same")
      return
    }
    access.policy = policy
    // Whether a user has a role decides on its limits.
    server.budgetsChanged()
    logger.notice("the policy has changed", metadata: ["policy": "\(policy)"])
  }
}
