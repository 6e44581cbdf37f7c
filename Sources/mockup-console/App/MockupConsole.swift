internal import ArgumentParser
internal import Logging
internal import MockupClient
internal import MockupVersion
internal import StandardStreams

@main
struct MockupConsole: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mockup-console",
    abstract: "Show the credits of mockupd's users as web pages.",
    discussion: """
      Listens on a loopback address, and prints a link with a token that works once: the browser \
      that opens it is signed in. SIGHUP prints a new link. Or it listens on a Unix socket for a \
      proxy that authenticates people and passes their names in a header (--identity-header); \
      there is no link then, and SIGHUP is ignored.

      The process needs the role admin of mockupd, or reader to only look.

      Exit codes: 0 stopped by a signal; 64 invalid command line; 69 the address cannot be used; \
      74 standard output failed.
      """,
    version: Version.text)

  @Option(
    help: ArgumentHelp(
      "The loopback address and port, or unix: and the path of a socket.",
      valueName: "address"))
  var listen = ListenAddress.tcp(host: "127.0.0.1", port: 8085)

  @Option(
    help: ArgumentHelp(
      """
      The address that browsers use, such as https://credits.example.org, if a proxy is in front \
      of the console.
      """, valueName: "url"))
  var publicURL: PublicURL?

  @Option(
    help: ArgumentHelp(
      """
      The header in which the proxy passes the name of the signed-in person; only with a Unix \
      socket.
      """, valueName: "name"))
  var identityHeader: HeaderName?

  @Option(
    help:
      "mockupd's Unix socket. (default: $MOCKUPD_SOCKET_PATH or /run/mockupd/mockupd.sock)",
    completion: .file())
  var socket: String?

  func validate() throws {
    if identityHeader != nil, !listen.isUnixSocket {
      throw ValidationError(
        "--identity-header needs a Unix socket: any process can connect to a TCP port")
    }
    if listen.isUnixSocket, publicURL == nil {
      throw ValidationError("a Unix socket needs --public-url, the address that browsers use")
    }
  }

  func run() async throws {
    var logger = Logger(label: "mockup-console") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .notice
    try await ConsoleServer(
      address: listen, publicURL: publicURL, identityHeader: identityHeader,
      mockupdSocket: try Self.path(socket), logger: logger
    ).run()
  }

  static func main() async {
    await runProgram()
  }
}
