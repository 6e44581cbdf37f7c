internal import FoundationEssentials
internal import MockupServices
internal import MockupVersion
internal import NIOConcurrencyHelpers
internal import TTRPC

/// The status of this process, as reported by `GetServerInfo`.
final class ServerProcess: Sendable {
  private let startedAt = Date()
  /// The load of the server; `nil` until the server is created, after its services.
  private let load = NIOLockedValueBox<ServerLoad?>(nil)

  func setLoad(_ load: ServerLoad) {
    self.load.withLockedValue { $0 = load }
  }

  var status: ServerStatus {
    let load = load.withLockedValue(\.self)
    return ServerStatus(
      version: Version.text, startedAt: startedAt,
      processID: ProcessInfo.processInfo.processIdentifier,
      openConnections: load?.openConnections ?? 0, callsInFlight: load?.callsInFlight ?? 0)
  }
}
