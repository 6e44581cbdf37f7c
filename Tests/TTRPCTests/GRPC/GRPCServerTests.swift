import Foundation
import NIOConcurrencyHelpers
import ProtobufC
import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

/// gRPC on the ttrpc socket.
@Suite(.timeLimit(.minutes(15))) struct GRPCServerTests {
  static func number(_ seconds: Int64) -> [UInt8] {
    WireDuration(seconds: seconds).serialized()
  }

  static func seconds(_ message: [UInt8]) throws -> Int64 {
    try WireDuration(serialized: message).seconds
  }

  static func withPeer(
    limits: ServerLimits = .patient, interceptors: [any ServerInterceptor] = [],
    window: Int = 65_535,
    _ body: @Sendable (GRPCPeer, TestService, Server) async throws -> Void
  ) async throws {
    let service = TestService()
    try await withServer(
      limits: limits, service: service, interceptors: interceptors
    ) { path, server in
      let peer = try await GRPCPeer.connect(path, window: window)
      try await body(peer, service, server)
      try await peer.close()
    }
  }

  @Test(arguments: ["Echo", "Later"])
  func `a unary call has headers, one message and trailers`(_ method: String) async throws {
    try await Self.withPeer { peer, _, _ in
      let id = try await peer.open("/p/\(method)")
      try await peer.send(Self.number(5), on: id, isLast: true)
      guard case .headers(let headers, isLast: false) = await peer.next(id) else {
        Issue.record("no headers")
        return
      }
      #expect(headers[":status"] == "200")
      #expect(headers["content-type"] == "application/grpc+proto")
      let (messages, trailers) = await peer.rest(of: id)
      #expect(try messages.map(Self.seconds) == [6])
      #expect(trailers["grpc-status"] == "0")
    }
  }

  @Test func `a method that answers from memory is called`() async throws {
    try await Self.withPeer { peer, _, _ in
      let (messages, trailers) = try await peer.call("/p/Now", Self.number(3))
      #expect(try messages.map { try WireStatus(serialized: $0).message } == ["xxx"])
      #expect(trailers["grpc-status"] == "0")
    }
  }

  @Test func `an error has a status, a message and details in its only headers`() async throws {
    try await Self.withPeer { peer, _, _ in
      let id = try await peer.open("/p/Refuse")
      try await peer.send([], on: id, isLast: true)
      guard case .headers(let headers, isLast: true) = await peer.next(id) else {
        Issue.record("no trailers")
        return
      }
      #expect(headers[":status"] == "200")
      #expect(headers["grpc-status"] == "9")
      #expect(headers["grpc-message"] == "no")
      let details = try #require(headers["grpc-status-details-bin"])
      let status = try WireStatus(serialized: Array(try #require(Data(base64Encoded: details))))
      #expect(status.code == 9)
      #expect(RPCError(status).fieldViolations.map(\.field) == ["seconds"])
      #expect(RPCError(status).retryDelay == .milliseconds(1500))
    }
  }

  @Test(arguments: [
    ("/p/Nothing", "method Nothing"), ("/q/Echo", "service q"),
    ("/p/Echo/x", "invalid path /p/Echo/x"),
    ("/p", "invalid path /p"),
    ("/p/" + String(repeating: "x", count: 510), "invalid path of 513 bytes"),
  ])
  func `an unknown method is unimplemented`(_ path: String, _ message: String) async throws {
    try await Self.withPeer { peer, _, _ in
      let (messages, trailers) = try await peer.call(path, [])
      #expect(messages.isEmpty)
      #expect(trailers["grpc-status"] == "12")
      #expect(trailers["grpc-message"] == message)
    }
  }

  @Test func `a request of another content type is refused with an HTTP status`() async throws {
    try await Self.withPeer { peer, _, _ in
      let id = try await peer.open("/p/Echo", type: "application/json", isLast: true)
      guard case .headers(let headers, isLast: true) = await peer.next(id) else {
        Issue.record("no headers")
        return
      }
      #expect(headers[":status"] == "415")
    }
  }

  /// The authorities that gRPC's clients send if they connect to a Unix socket.
  @Test(arguments: ["/run/mockupd/mockupd.sock", "%2Frun%2Fmockupd.sock", "localhost", "", nil])
  func `a request may have any authority`(_ authority: String?) async throws {
    try await withServer { path, _ in
      let peer = try await HTTP2RawPeer(path: path)
      let others = HTTP2RawPeer.headers("Echo").filter { $0.0 != ":authority" }
      let headers = (authority.map { [(":authority", $0)] } ?? []) + others
      try await peer.send(
        HTTP2RawPeer.list(1, headers) + HTTP2RawPeer.message(Self.number(1), 1))
      let data = try #require(try await peer.next(.data, on: 1))
      #expect(try GRPCPeer.messages(in: data.payload).map(Self.seconds) == [2])
    }
  }

  @Test func `metadata reaches the handler`() async throws {
    try await Self.withPeer { peer, _, _ in
      let (messages, _) = try await peer.call("/p/Who", [], [("k", "v"), ("grpc-other", "x")])
      let who = try WireStatus(serialized: try #require(messages.first))
      #expect(who.message.hasSuffix(" v"))
    }
  }

  @Test(
    arguments: [
      ("Echo", "OK"), ("Now", "OK"), ("Later", "OK"), ("Refuse", "FAILED_PRECONDITION"),
      ("Many", "OK"), ("Sum", "OK"), ("Nothing", "UNIMPLEMENTED"),
    ], [[], [("k", "v")], [("user-agent", "test")]])
  func `hooks see the start and the result of every call`(
    _ method: (name: String, result: String), _ metadata: [(String, String)]
  ) async throws {
    let notes = NIOLockedValueBox<[String]>([])
    let recorders = ["a", "b"].map {
      CallHookTests.RecordingInterceptor(name: $0, notes: notes)
    }
    try await Self.withPeer(interceptors: recorders) { peer, _, _ in
      _ = try await peer.call("/p/\(method.name)", Self.number(1), metadata)
      try await eventually { notes.withLockedValue { $0.count } == 4 }
    }
    let result = method.result
    #expect(notes.withLockedValue { $0 } == ["a>", "b>", "b<\(result)", "a<\(result)"])
  }
}
