internal import ServiceLifecycle
internal import Systemd
internal import TTRPC

/// Shows the service manager, twice in its interval, that the server is alive.
///
/// Each beat first goes once round every thread that moves bytes: a thread that hangs holds it up, as it
/// holds up all calls, and the manager starts the program anew. It asks neither the database, which a
/// new start would not bring back, nor for a place among the calls, which a busy server may lack.
struct WatchdogService: ServiceLifecycle.Service, CustomStringConvertible {
  let interval: WatchdogInterval
  let server: Server
  let supervisor: Supervisor

  var description: String { "watchdog" }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        await server.turn()
        supervisor.beat()
        // Its cancellation ends the loop.
        try? await Task.sleep(for: interval.half)
      }
    }
  }
}
