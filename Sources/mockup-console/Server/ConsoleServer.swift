internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import MockupClient
internal import NIOCore
internal import ServiceLifecycle
internal import StandardStreams
internal import TTRPC
internal import UnixSignals

/// The console: an HTTP server whose pages are made from calls to mockupd.
struct ConsoleServer {
  let address: ListenAddress
  let publicURL: PublicURL?
  let identityHeader: HeaderName?
  /// The path of mockupd's socket.
  let mockupdSocket: String
  let logger: Logger

  /// The maximum number of open connections.
  private static let maximumConnections = 256
  /// The time after which a connection without a request is closed.
  private static let idleTimeout: TimeAmount = .seconds(60)
  /// The time limit of a call to mockupd.
  private static let callTimeout: Duration = .seconds(15)

  /// Serves until a signal stops the process.
  ///
  /// - Throws: `CommandError` if the address cannot be used.
  func run() async throws {
    // Installed before the console is ready, because SIGHUP ends the program by default.
    let hangups = await UnixSignalsSequence(trapping: .sighup)
    let socketFile = try SocketFile(address)
    let configuration = MockupClient.Configuration(timeout: Self.callTimeout)
    try await MockupClient.withConnection(
      to: .unixSocket(path: mockupdSocket), configuration: configuration
    ) { client in
      let authorities = Authorities(publicURL: publicURL)
      let sessions = Sessions()
      let link = SignInLink(address: address, publicURL: publicURL, sessions: sessions)
      let application = Application(
        responder: router(client, authorities, sessions).buildResponder(),
        server: .http1(configuration: HTTP1Channel.Configuration(idleTimeout: Self.idleTimeout)),
        configuration: ApplicationConfiguration(
          address: address.bindAddress,
          availableConnectionsDelegate: MaximumAvailableConnections(Self.maximumConnections)),
        onServerRunning: { channel in
          if let port = channel.localAddress?.port { authorities.listening(on: port) }
          await link.announce(port: channel.localAddress?.port, isNew: identityHeader == nil)
        },
        logger: logger)
      let services: [any ServiceLifecycle.Service] = [
        application,
        SignInLinkService(
          link: identityHeader == nil ? link : nil, hangups: hangups, logger: logger),
      ]
      do {
        try await ServiceGroup(
          configuration: ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        ).run()
      } catch {
        throw CommandError(
          "cannot listen on \(address): \(plainText(of: error))", exitCode: CommandError.unavailable
        )
      }
      socketFile.remove()
    }
  }

  private func router(
    _ client: MockupClient, _ authorities: Authorities, _ sessions: Sessions
  ) -> Router<ConsoleContext> {
    let router = Router(context: ConsoleContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: SecurityHeaders())
    router.add(middleware: FailurePages(logger: logger))
    router.add(middleware: HostCheck(authorities: authorities))
    let methods = MethodNotAllowed()
    router.add(middleware: methods)
    // The stylesheet has no secrets, and the page for people who are not signed in needs it.
    StylesheetRoutes.add(to: router)
    if let identityHeader {
      router.add(middleware: ProxySignIn(header: identityHeader.name))
    } else {
      router.add(
        middleware: SessionSignIn(sessions: sessions, isSecure: publicURL?.isSecure == true))
    }
    UsersRoutes(client: client).add(to: router)
    UserRoutes(client: client).add(to: router)
    StuckRoutes(client: client, formCheck: FormCheck(authorities: authorities), logger: logger)
      .add(to: router)
    ServerRoutes(client: client).add(to: router)
    methods.setRoutes(router.routes)
    return router
  }
}

extension ListenAddress {
  fileprivate var bindAddress: BindAddress {
    switch self {
    case .tcp(let host, let port): .hostname(host, port: port)
    case .unixSocket(let path): .unixDomainSocket(path: path)
    }
  }
}
