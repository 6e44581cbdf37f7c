internal import NIOConcurrencyHelpers

/// The hosts, with their ports, under which browsers reach the console.
final class Authorities: Sendable {
  private let publicURL: PublicURL?
  /// The port that the console listens on; `nil` with a Unix socket and before the socket is bound.
  private let port = NIOLockedValueBox<Int?>(nil)

  init(publicURL: PublicURL?) {
    self.publicURL = publicURL
  }

  /// Adds the loopback addresses with the port that the console listens on.
  func listening(on port: Int) {
    self.port.withLockedValue { $0 = port }
  }

  /// Returns true if `authority` is the value of the header `Host` in a request for the console.
  func contains(_ authority: String) -> Bool {
    publicURL?.hasAuthority(authority) == true || loopback.contains(authority)
  }

  /// Returns true if `origin` is the origin of a page of the console.
  func contains(origin: String) -> Bool {
    origin == publicURL?.origin || loopback.contains { origin == "http://\($0)" }
  }

  private var loopback: [String] {
    guard let port = port.withLockedValue({ $0 }) else { return [] }
    let hosts = ["127.0.0.1", "localhost", "[::1]"]
    // Browsers leave out the scheme's own port.
    return hosts.map { "\($0):\(port)" } + (port == 80 ? hosts : [])
  }
}
