import TestSupport
import Testing

@testable import TTRPC

/// HTTP on the ttrpc socket, tested byte by byte.
@Suite(.timeLimit(.minutes(15))) struct HTTPTests {
  /// Rejects requests for `/secret`.
  private struct SecretRejecter: ServerInterceptor {
    func intercept(
      _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
    ) async throws(RPCError) {
      if context.method.fullName == "http/secret" {
        throw RPCError(code: .permissionDenied, message: "no")
      }
      try await next(context)
    }
  }

  private static let routes: [HTTPRoute] = [
    HTTPRoute(path: "/hello") { load throws(RPCError) in
      HTTPResponse(line: "\(load.openConnections) open")
    },
    HTTPRoute(path: "/secret") { _ throws(RPCError) in HTTPResponse(line: "secret") },
    HTTPRoute(path: "/unavailable") { _ throws(RPCError) in
      throw RPCError(code: .unavailable, message: "unavailable")
    },
    HTTPRoute(path: "/slow") { _ throws(RPCError) in
      do {
        try await Task.sleep(for: .seconds(600))
      } catch {
        throw RPCError(code: .cancelled, message: "cancelled")
      }
      return HTTPResponse(line: "late")
    },
  ]

  private static func get(
    _ path: String, _ requests: [String]
  ) async throws -> String {
    let peer = try RawPeer(path: path)
    for request in requests { try await peer.send(Array(request.utf8)) }
    return String(decoding: try await peer.receive(100_000), as: UTF8.self)
  }

  private static func request(_ line: String) -> String { "\(line) HTTP/1.1\r\nHost: x\r\n\r\n" }

  private static func withRoutes(
    limits: ServerLimits = .patient,
    _ body: @Sendable (_ path: String, Server) async throws -> Void
  ) async throws {
    try await withServer(
      routes: routes, limits: limits, interceptors: [SecretRejecter()], body)
  }

  @Test func `a request is answered and the connection closes`() async throws {
    try await Self.withRoutes { path, _ in
      let answer = try await Self.get(path, [Self.request("GET /hello?x=1")])
      #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(answer.contains("Connection: close\r\n"))
      #expect(answer.hasSuffix("\r\n\r\n1 open\n"))
    }
  }

  @Test func `a request is read however it is split`() async throws {
    try await Self.withRoutes { path, _ in
      let request = Self.request("GET /hello")
      for cut in 1..<request.count {
        let answer = try await Self.get(
          path, [String(request.prefix(cut)), String(request.dropFirst(cut))])
        #expect(answer.hasPrefix("HTTP/1.1 200 "), "cut at \(cut)")
      }
    }
  }

  @Test(
    arguments: [
      ("GET /nothing", 404), ("GET /secret", 403), ("GET /unavailable", 503), ("POST /hello", 405),
      ("DELETE /", 405), ("OPTIONS *", 405), ("HEAD /hello", 200), ("GET", 400),
      ("GET http://localhost/hello", 200), ("GET HTTPS://x:1/hello?a=http://b/", 200),
      ("GET http://localhost", 404), ("GET http://localhost?x", 404), ("GET ftp://x/hello", 404),
      ("GET /hello?x=http://localhost/nothing", 200), ("GET http:///hello", 200),
    ])
  func `a request gets its HTTP status`(line: String, status: Int) async throws {
    try await Self.withRoutes { path, server in
      let answer = try await Self.get(path, [Self.request(line)])
      #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
      if line.hasPrefix("HEAD") { #expect(answer.hasSuffix("\r\n\r\n")) }
      try await server.waitUntilIdle()
    }
  }

  @Test func `a connection serves one request`() async throws {
    try await Self.withRoutes { path, _ in
      let request = Self.request("GET /hello")
      let answer = try await Self.get(path, [request + request + request])
      #expect(answer.components("HTTP/1.1 200").count == 2)
    }
  }

  @Test func `an incomplete request and a slow handler close the connection`() async throws {
    var limits = ServerLimits.patient
    limits.frameTimeout = .milliseconds(100)
    try await Self.withRoutes(limits: limits) { path, _ in
      let unfinished = try await Self.get(path, ["GET /hello HTTP/1.1\r\n"])
      #expect(unfinished == "")
      // The connection of a handler that takes too long is closed, too.
      let slow = try await Self.get(path, [Self.request("GET /slow")])
      #expect(slow == "")
    }
  }

  @Test func `endless headers are refused in bounded memory`() async throws {
    try await Self.withRoutes { path, server in
      let peer = try RawPeer(path: path)
      try await peer.send(Array("GET /hello HTTP/1.1\r\n".utf8))
      let header = Array("X: \(String(repeating: "x", count: 4000))\r\n".utf8)
      do {
        for _ in 0..<100 { try await peer.send(header) }
      } catch is RawPeer.Failure {}
      let answer = String(decoding: try await peer.receive(100_000), as: UTF8.self)
      #expect(answer == "" || answer.hasPrefix("HTTP/1.1 4"))
    }
  }

  @Test func `a disconnect cancels the HTTP handler`() async throws {
    try await Self.withRoutes { path, server in
      var peer: RawPeer? = try RawPeer(path: path)
      try await peer?.send(Array(Self.request("GET /slow").utf8))
      try await server.wait(forCalls: 1)
      peer = nil
      _ = peer
      try await server.waitUntilIdle()
    }
  }

  @Test func `a server without routes does not answer HTTP`() async throws {
    try await withServer { path, _ in
      let answer = try await Self.get(path, [Self.request("GET /hello")])
      #expect(answer == "")
    }
  }
}

extension String {
  fileprivate func components(_ separator: String) -> [Substring] {
    split(separator: separator, omittingEmptySubsequences: false)
  }
}
