import Logging
import TestSupport
import Testing

@testable import TTRPC

@Suite(.timeLimit(.minutes(15))) struct HTTPConnectionTests {
  /// Lives as long as anything does that knows a server's routes.
  private final class Witness: Sendable {}

  @Test func aConnectionThatSpokeHTTPLeavesNothingBehind() async throws {
    weak var witness: Witness?
    do {
      let strong = Witness()
      witness = strong
      try await ask(HTTPRoute(path: "/") { [strong] _ in HTTPResponse(line: "\(strong)") })
    }
    #expect(witness == nil)
  }

  /// Serves a route until it was asked for once.
  private func ask(_ route: HTTPRoute) async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = Server(services: [], routes: [route], logger: logger)
    try await withTemporaryFolder { folder in
      try await withThrowingTaskGroup(of: Void.self) { group in
        let ready = Flag()
        group.addTask {
          try await server.run(on: UnixListener(path: "\(folder)/socket")) { ready.set() }
        }
        try await ready.wait()
        let peer = try RawPeer(path: "\(folder)/socket")
        try await peer.send(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        let answer = try await peer.receive(4096)
        #expect(answer.starts(with: "HTTP/1.1 200".utf8))
        server.drain()
        try await group.waitForAll()
      }
    }
  }
}
