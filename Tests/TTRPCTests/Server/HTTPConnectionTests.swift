import Logging
import TestSupport
import Testing

@testable import TTRPC

@Suite(.timeLimit(.minutes(15))) struct HTTPConnectionTests {
  /// An object that lives as long as the server's routes are referenced.
  private final class LifetimeProbe: Sendable {}

  @Test func `a closed HTTP connection keeps no reference to the routes`() async throws {
    weak var probe: LifetimeProbe?
    do {
      let strong = LifetimeProbe()
      probe = strong
      try await serveOnce(HTTPRoute(path: "/") { [strong] _ in HTTPResponse(line: "\(strong)") })
    }
    #expect(probe == nil)
  }

  /// Serves a route for one request.
  private func serveOnce(_ route: HTTPRoute) async throws {
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
