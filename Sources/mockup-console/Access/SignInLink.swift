internal import Logging
internal import NIOConcurrencyHelpers
internal import ServiceLifecycle
internal import StandardStreams
internal import UnixSignals

/// The lines on standard output that say where the console is, with a token to sign in.
struct SignInLink: Sendable {
  let address: ListenAddress
  let publicURL: PublicURL?
  let sessions: Sessions
  private let port = NIOLockedValueBox<Int?>(nil)

  init(address: ListenAddress, publicURL: PublicURL?, sessions: Sessions) {
    self.address = address
    self.publicURL = publicURL
    self.sessions = sessions
  }

  /// Writes that the console is ready, and where.
  ///
  /// - Parameters:
  ///   - port: The port that the console listens on; `nil` with a Unix socket.
  ///   - isNew: True to add a new token to the address.
  func announce(port: Int?, isNew: Bool) async {
    self.port.withLockedValue { $0 = port }
    try? await StandardOutput.write(line: "ready \(isNew ? newLink() : base)")
  }

  /// Writes a link with a new token.
  func renew() async {
    try? await StandardOutput.write(line: "sign in at \(newLink())")
  }

  private func newLink() -> String {
    "\(base)\(SessionSignIn.path)?token=\(sessions.makeToken())"
  }

  private var base: String {
    if let publicURL { return publicURL.origin }
    guard case .tcp(let host, _) = address, let port = port.withLockedValue({ $0 }) else {
      return "\(address)"
    }
    return "http://\(ListenAddress.tcp(host: host, port: port))"
  }
}

/// The service that prints a new link to sign in for each SIGHUP.
struct SignInLinkService: ServiceLifecycle.Service {
  /// The link; `nil` if a proxy signs people in.
  let link: SignInLink?
  let hangups: UnixSignalsSequence
  let logger: Logger

  func run() async throws {
    for await _ in hangups.cancelOnGracefulShutdown() {
      if let link {
        await link.renew()
      } else {
        logger.notice("ignoring SIGHUP: the proxy signs people in, and there is no link")
      }
    }
  }
}
