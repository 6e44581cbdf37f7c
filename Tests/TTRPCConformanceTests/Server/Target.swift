import Logging
import TTRPC
import TestSupport
import Testing

/// The server under test.
struct Target: Sendable {
  let path: String
  /// The server object; nil for a foreign server.
  let server: Server?

  func connect() throws -> Conversation {
    try Conversation(path: path, profile: .current)
  }

  /// Returns the number of calls in flight that have this key in their metadata.
  func running(_ key: Int64) async throws -> Int64 {
    try await call("Running", key)
  }

  /// Lets calls of `Hold` and `Stall` with this key continue.
  func release(_ key: Int64) async throws {
    _ = try await call("Release", key)
  }

  /// Waits until exactly `count` calls with a key are in flight.
  func waitUntil(
    _ count: Int64, run key: Int64, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    do {
      try await eventually("\(count) calls are in flight") { try await running(key) == count }
    } catch {
      Issue.record(error, sourceLocation: sourceLocation)
    }
  }

  private func call(_ method: String, _ number: Int64) async throws -> Int64 {
    let conversation = try connect()
    try await conversation.send(.request(1, method, Proto.integer(1, number)))
    return try await conversation.answer(on: 1).number
  }
}

extension Target {
  /// Runs a closure with the foreign server, or with a new server of this library.
  static func with(
    _ limits: ServerLimits, _ body: @escaping @Sendable (Target) async throws -> Void
  ) async throws {
    if let path = Profile.foreignSocket {
      return try await body(Target(path: path, server: nil))
    }
    try await withTemporaryFolder { folder in
      try await withOwnServer(at: "\(folder)/socket", limits, body)
    }
  }

  private static func withOwnServer(
    at path: String, _ limits: ServerLimits,
    _ body: @escaping @Sendable (Target) async throws -> Void
  ) async throws {
    var logger = Logger(label: "conformance")
    logger.logLevel = .critical
    let calls = CallRegistry()
    let server = Server(
      services: [ConformanceService(calls: calls)], interceptors: [calls], limits: limits,
      logger: logger)
    let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { isReady.finish() }
        try await server.run(on: UnixListener(path: path)) { isReady.yield() }
      }
      for await _ in ready { break }
      do {
        try await body(Target(path: path, server: server))
        try await expectNothingHeld(server)
      } catch {
        server.drain()
        throw error
      }
      server.drain()
      try await group.waitForAll()
    }
  }

  /// Waits until the server holds no calls, connections or bytes of a finished case.
  private static func expectNothingHeld(_ server: Server) async throws {
    let load = server.load
    try await eventually("\(load) is empty") {
      load.callsInFlight + load.openConnections + load.bytesQueued == 0
    }
  }
}
