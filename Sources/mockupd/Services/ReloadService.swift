internal import Logging
internal import MockupServices
internal import ServiceLifecycle
internal import TTRPC
internal import UnixSignals

/// The service that reloads the settings at each SIGHUP, and applies their access policy.
///
/// All other settings keep their values until a restart.
struct ReloadService: ServiceLifecycle.Service, CustomStringConvertible {
  let signals: UnixSignalsSequence
  let flags: SettingsFlags
  let access: AccessControl
  let server: Server
  let managerNotifier: ServiceManagerNotifier
  let logger: Logger

  var description: String { "reload" }

  func run() async throws {
    for await _ in signals.cancelOnGracefulShutdown() {
      await managerNotifier.whileReloading { await reload() }
    }
  }

  private func reload() async {
    let policy: AccessPolicy
    do {
      policy = try await Settings(flags).policy
    } catch {
      logger.error(
        "cannot reload the settings: the policy is unchanged", metadata: ["error": "\(error)"])
      return
    }
    guard policy != access.policy else {
      logger.notice("the policy is unchanged")
      return
    }
    access.policy = policy
    // The limits of a peer depend on whether it has a role.
    server.budgetsChanged()
    logger.notice("the policy has changed", metadata: ["policy": "\(policy)"])
  }
}
