internal import Glibc
internal import TTRPC

/// Calls the service `p` of the servers in `go` and `rust` of Tests/Harnesses/Interop.
///
/// It prints a line for each check, and exits with 1 if one of them fails. scripts/interop runs it.
@main struct InteropClient {
  static func main() async {
    guard let peer = Peer(arguments: CommandLine.arguments.dropFirst()) else {
      print("usage: InteropClient go|rust SOCKET")
      exit(64)
    }
    let checks = Checks(peer)
    await checks.answers()
    await checks.statuses()
    await checks.metadataAndDeadlines()
    await checks.cancelledCalls()
    await checks.sizes()
    await checks.callsAtOnce()
    await checks.lostConnections()
    await peer.client.close()
    exit(checks.haveFailed ? 1 : 0)
  }
}

/// The server to call.
struct Peer: Sendable {
  enum Implementation: String {
    /// The server of containerd, in Go.
    case go
    /// The server of ttrpc-rust.
    case rust
  }

  let implementation: Implementation
  let client: Client

  init?(arguments: some Sequence<String>) {
    let arguments = Array(arguments)
    guard arguments.count == 2, let implementation = Implementation(rawValue: arguments[0]) else {
      return nil
    }
    self.implementation = implementation
    var configuration = ClientConfiguration()
    configuration.interceptors = [Retrying()]
    client = Client(path: arguments[1], configuration: configuration)
  }
}
