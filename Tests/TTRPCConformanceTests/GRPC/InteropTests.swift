import Foundation
import GRPC
import Logging
import TTRPC
import TestSupport
import Testing

/// gRPC's interoperability tests: its client for Python against this library's server.
///
/// The client is `python/interop.py`, which needs Debian's `python3-grpcio` and `python3-protobuf`
/// (see `scripts/setup`). One case is incomplete, because a handler of this library cannot see
/// which requests of a stream were compressed: `client_compressed_streaming` does not test that the
/// server notices an uncompressed request.
@Suite(.timeLimit(.minutes(15))) struct InteropTests {
  private static let cases = [
    "empty_unary", "large_unary", "client_compressed_unary", "client_streaming",
    "client_compressed_streaming", "server_streaming", "ping_pong", "empty_stream",
    "cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server",
    "status_code_and_message", "special_status_message", "unimplemented_method",
    "unimplemented_service", "custom_metadata", "concurrent_large_unary", "keepalive",
  ]

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()

  @Test(arguments: cases)
  func `a client of gRPC for Python is served`(_ name: String) async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      try await Self.withServer(at: path) {
        let client = try RunningProgram(
          URL(filePath: "/usr/bin/python3"),
          [
            Self.folder.appending(path: "python/interop.py").path, path,
            Self.folder.appending(path: "../Proto").path, name,
          ],
          environment: ["PYTHONDONTWRITEBYTECODE": "1"], folder: URL(filePath: folder))
        let ending = await client.ending()
        #expect(ending.exitCode == 0, "\(ending)")
        #expect(ending.output == "passed\n")
      }
    }
  }

  /// Runs a server for a closure, and waits until no call is in flight.
  private static func withServer(
    at path: String, _ body: @escaping @Sendable () async throws -> Void
  ) async throws {
    var logger = Logger(label: "interop")
    logger.logLevel = .critical
    let server = Server(services: [InteropService()], formats: [.grpc], logger: logger)
    let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { isReady.finish() }
        try await server.run(on: UnixListener(path: path)) { isReady.yield() }
      }
      for await _ in ready { break }
      do {
        try await body()
        try await eventually("no call is in flight") { server.load.callsInFlight == 0 }
      } catch {
        server.drain()
        throw error
      }
      server.drain()
      try await group.waitForAll()
    }
  }
}
