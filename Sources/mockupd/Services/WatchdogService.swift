internal import ServiceLifecycle
internal import Systemd
internal import TTRPC

/// The service that notifies the service manager, twice per watchdog interval, that the server is
/// alive.
///
/// Before each notification, every event loop must complete a tick. If an event loop hangs, and all
/// its calls with it, no notification is sent, and the service manager restarts the program. The
/// check does not involve the database, which a restart would not repair, and takes no call slot,
/// because a busy server may have none left.
struct WatchdogService: ServiceLifecycle.Service, CustomStringConvertible {
  let interval: WatchdogInterval
  let server: Server
  let managerNotifier: ServiceManagerNotifier

  var description: String { "watchdog" }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        await server.waitForEventLoops()
        managerNotifier.beat()
        // Cancellation ends the loop.
        try? await Task.sleep(for: interval.half)
      }
    }
  }
}
