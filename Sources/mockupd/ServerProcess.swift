internal import FoundationEssentials
internal import MockupService
internal import NIOConcurrencyHelpers
internal import TTRPC

/// This process, to who asks how the server is.
final class ServerProcess: Sendable {
  private let startedAt = Date()
  /// The services are made before the server whose load one of them tells.
  private let load = NIOLockedValueBox<ServerLoad?>(nil)

  func serves(with load: ServerLoad) {
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
