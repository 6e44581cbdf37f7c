import Logging
import Metrics
import MetricsTestKit
import NIOCore
import NIOPosix
import Testing

@testable import TTRPC

/// The interceptor ``Authorization``, tested without a server.
@Suite struct AuthorizationTests {
  private final class NoConnection: CallController {
    func endAtDrain(_ streamID: UInt32) {}
    func setDeadline(of streamID: UInt32, in timeout: Duration) {}
    func setResponseMetadata(of streamID: UInt32, initial: Metadata, trailing: Metadata) {}
    func endDisplaced(_ streamID: UInt32, _ reason: RPCError) {}
  }

  /// Creates the context of a call by user 1000.
  private static func call(_ method: String, isKnown: Bool = true) async throws -> ServerContext {
    let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return try await eventLoop.submit { [logger] in
      let connection = CallConnection(
        peer: PeerIdentity(processID: 1, userID: 1000, groupID: 100), logger: logger,
        eventLoop: eventLoop, controller: NoConnection())
      return ServerContext(
        ServerCall(
          connection,
          CallRequest(
            streamID: 1,
            method: CalledMethod(
              MethodDescriptor(service: "p", name: method), isKnown: isKnown,
              RPCError(code: .unimplemented, message: "not called")),
            timeout: nil, began: connection.now, size: 0)))
    }.get()
  }

  /// An authorization that lets user 1000 call `Echo`.
  private static let authorization = Authorization { peer, method in
    peer.userID == 1000 && method == MethodDescriptor(service: "p", name: "Echo")
  }

  /// Runs the interceptor, and returns its error and whether it went on to the handler.
  private static func outcome(of call: ServerContext) async -> (error: RPCError?, isMade: Bool) {
    var isMade = false
    do throws(RPCError) {
      try await authorization.intercept(call) { context throws(RPCError) in isMade = true }
      return (nil, isMade)
    } catch {
      return (error, isMade)
    }
  }

  @Test func `an allowed call reaches its handler`() async throws {
    let metrics = TestMetrics()
    let (error, isMade) = try await withMetricsFactory(metrics) {
      await Self.outcome(of: try await Self.call("Echo"))
    }
    #expect(error == nil)
    #expect(isMade)
    #expect(metrics.counters.isEmpty)
  }

  @Test func `a refused call is named in the error and counted`() async throws {
    let metrics = TestMetrics()
    try await withMetricsFactory(metrics) {
      for _ in 0..<2 {
        let (error, isMade) = await Self.outcome(of: try await Self.call("Wait"))
        #expect(error?.code == .permissionDenied)
        #expect(error?.message == "uid 1000 may not call p/Wait")
        #expect(!isMade)
      }
    }
    let count = try metrics.expectCounter("ttrpc_server_denied_total", [("method", "p/Wait")])
    #expect(count.totalValue == 2)
  }

  @Test func `unknown method names are truncated and counted as one`() async throws {
    let metrics = TestMetrics()
    try await withMetricsFactory(metrics) {
      for letter in ["x", "y"] {
        let call = try await Self.call(String(repeating: letter, count: 4000), isKnown: false)
        let message = try #require(await Self.outcome(of: call).error?.message)
        #expect(message.hasPrefix("uid 1000 may not call p/\(letter)\(letter)"))
        #expect(message.utf8.count < 300)
      }
    }
    let count = try metrics.expectCounter("ttrpc_server_denied_total", [("method", "unknown")])
    #expect(count.totalValue == 2)
    #expect(metrics.counters.count == 1)
  }
}
