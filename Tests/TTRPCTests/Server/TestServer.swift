import GRPC
import Glibc
import Logging
import NIOConcurrencyHelpers
import NIOCore
import ProtobufC
import TestSupport
import Testing

@testable import TTRPC

/// The service that the tests call.
///
/// Its messages are `{1: int64}`.
struct TestService: Service {
  static let serviceName = "p"

  /// Set when a call of `Wait`, `Later`, `Stall` or `Watch` is cancelled.
  let cancelled = Flag()
  /// Calls of `Hold`, `Block` and `Stall` wait until it is set.
  let released = Flag()
  /// The requests of `Note`, in the order in which they ran.
  let notes = NIOLockedValueBox<[Int64]>([])

  typealias Later = TTRPC.Method.Completion<WireDuration>

  struct ConfidentialError: Error {
    let secret = "password"
  }

  var methods: [TTRPC.Method] {
    [
      .unary("Echo", WireDuration.self) { request, _ in
        WireDuration(seconds: request.seconds &+ 1)
      },
      .unary("Wait", WireDuration.self) { request, _ in
        do {
          try await Task.sleep(for: .milliseconds(request.seconds))
        } catch {
          cancelled.set()
          throw error
        }
        return request
      },
      .unary("Hold", WireDuration.self) { request, _ in
        try await released.wait()
        return request
      },
      .unary("Note", WireDuration.self) { request, _ in
        notes.withLockedValue { $0.append(request.seconds) }
        return request
      },
      // Blocks its thread until it is released, which a real handler must not do.
      .unary("Block", WireDuration.self) { request, _ in
        while !released.isSet { usleep(1000) }
        return request
      },
      .unary("Fail", WireDuration.self) { _, _ -> WireDuration in throw ConfidentialError() },
      .unary("Refuse", WireDuration.self) { _, _ -> WireDuration in
        throw RPCError(
          code: .failedPrecondition, message: "no",
          details: [
            .badRequest([FieldViolation(field: "seconds", description: "wrong")]),
            .retryInfo(after: .milliseconds(1500)),
          ])
      },
      .unary("Large", WireDuration.self) { request, _ in
        WireStatus(message: String(repeating: "x", count: Int(request.seconds)))
      },
      .unary("Who", WireDuration.self) { _, context in
        WireStatus(
          code: Int32(context.peer.userID),
          message: "\(context.peer.processID) \(context.metadata["K"] ?? "-")")
      },
      .immediate("Now", WireDuration.self) { request, _ in
        guard request.seconds >= 0 else { throw ConfidentialError() }
        return WireStatus(message: String(repeating: "x", count: Int(request.seconds)))
      },
      // Answers from another thread after `seconds` milliseconds, or at once if cancelled.
      .deferred("Later", WireDuration.self) { (request, _, answer: Later) in
        guard request.seconds >= 0 else {
          throw RPCError(code: .outOfRange, message: "in the past")
        }
        let task = Task {
          let isOver = (try? await Task.sleep(for: .milliseconds(request.seconds))) == nil
          if isOver { cancelled.set() }
          answer(.success(WireDuration(seconds: request.seconds + 1)))
        }
        return { task.cancel() }
      },
      // Sends the numbers from 1 to `seconds`, then an error if the metadata contains `end`.
      .serverStreaming("Many", WireDuration.self) { request, responses, context in
        for number in 0..<max(request.seconds, 1) {
          try await responses.write(WireDuration(seconds: number + 1))
        }
        if context.metadata["end"] != nil { throw RPCError(code: .unknown, message: "boom") }
      },
      // Sends two messages of `seconds` bytes.
      .serverStreaming("Blob", WireDuration.self) { request, responses, _ in
        let blob = WireStatus(message: String(repeating: "x", count: Int(request.seconds)))
        try await responses.write(blob)
        try await responses.write(blob)
      },
      .clientStreaming("Sum", WireDuration.self) { requests, _ in
        var count: Int64 = 0
        for try await _ in requests { count += 1 }
        return WireDuration(seconds: count)
      },
      // Returns after the first request.
      .clientStreaming("First", WireDuration.self) { requests, _ in
        try await requests.next() ?? WireDuration()
      },
      .bidirectional("Bidi", WireDuration.self) { requests, responses, _ in
        for try await request in requests {
          try await responses.write(WireDuration(seconds: request.seconds &+ 1))
        }
      },
      // Sends two messages as long as the first request, in bytes, and fails.
      .bidirectional("Burst", WireDuration.self) { requests, responses, _ in
        let length = try await requests.next()?.seconds ?? 0
        let blob = WireStatus(message: String(repeating: "x", count: Int(length)))
        try await responses.write(blob)
        try await responses.write(blob)
        throw RPCError(code: .dataLoss, message: "burst")
      },
      // Reads nothing until it is released.
      .bidirectional("Stall", WireStatus.self) { requests, responses, _ in
        do {
          try await released.wait()
        } catch {
          cancelled.set()
          throw error
        }
        for try await request in requests { try await responses.write(request) }
      },
      // Sends a message of `seconds` bytes, and ends when the server drains.
      .serverStreaming("WatchBlob", WireDuration.self) {
        (request, responses: ResponseWriter<WireStatus>, context) in
        context.endAtDrain()
        let text = String(repeating: "x", count: Int(request.seconds))
        try await responses.write(WireStatus(message: text))
        try await Task.sleep(for: .seconds(600))
      },
      // Waits until it is released, and answers with `seconds` bytes.
      .unary("LateBlob", WireDuration.self) { request, _ in
        try await released.wait()
        return WireStatus(message: String(repeating: "x", count: Int(request.seconds)))
      },
      // Waits with two deadlines, of which the first is the earlier.
      .unary("Hurry", WireDuration.self) { request, context in
        _ = context.limited(to: .milliseconds(50))
        _ = context.limited(to: .seconds(86_400))
        try await Task.sleep(for: .seconds(86_400))
        return request
      },
      .serverStreaming("Watch", WireDuration.self) {
        (_, responses: ResponseWriter<WireDuration>, context) in
        context.endAtDrain()
        do {
          try await responses.write(WireDuration(seconds: 1))
          try await Task.sleep(for: .seconds(600))
        } catch {
          cancelled.set()
          throw error
        }
      },
    ]
  }
}

extension Server {
  /// Waits until all handlers have returned.
  func waitUntilIdle() async throws {
    try await eventually("all handlers have returned") { load.callsInFlight == 0 }
  }

  /// Waits until exactly `count` calls are in flight.
  func wait(forCalls count: Int) async throws {
    try await eventually("\(count) calls are in flight") { load.callsInFlight == count }
  }
}

/// Runs a server while a closure runs, and then drains the server.
///
/// Without a path, the server listens on a socket in a temporary folder.
func withServer(
  at path: String? = nil, routes: [HTTPRoute] = [], limits: ServerLimits = .patient,
  service: TestService = TestService(), interceptors: [any ServerInterceptor] = [],
  budget: @escaping @Sendable (PeerIdentity) -> PeerBudget = { _ in .unlimited },
  logger: Logger? = nil, _ body: @Sendable (_ path: String, Server) async throws -> Void
) async throws {
  guard let path else {
    return try await withTemporaryFolder { folder in
      try await withServer(
        at: "\(folder)/socket", routes: routes, limits: limits, service: service,
        interceptors: interceptors, budget: budget, logger: logger, body)
    }
  }
  let server = Server(
    services: [service], formats: [.grpc], routes: routes, interceptors: interceptors,
    limits: limits,
    budget: budget, logger: logger ?? .silent)
  let ready = Flag()
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      try await server.run(on: UnixListener(path: path)) { ready.set() }
    }
    try await ready.wait()
    do {
      try await body(path, server)
    } catch {
      server.drain()
      throw error
    }
    server.drain()
    try await group.waitForAll()
  }
}

extension ServerLimits {
  /// The default limits, but with time limits that no busy machine reaches.
  static var patient: ServerLimits {
    var limits = ServerLimits()
    limits.reservedConnectionTimeout = testTimeout
    limits.slowReaderTimeout = testTimeout
    limits.frameTimeout = testTimeout
    limits.writeTimeout = testTimeout
    limits.drainTimeout = testTimeout
    return limits
  }
}

extension Logger {
  fileprivate static var silent: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }
}

/// Encodes one request for the test service per number, on the stream `2 * number + 1`.
///
/// - Parameter seconds: The message of every request; by default the request's number.
func requestFrames(
  _ method: String, _ numbers: some Sequence<Int>, seconds: Int? = nil
) -> [UInt8] {
  var buffer = ByteBuffer()
  for number in numbers {
    let request = WireRequest(
      service: "p", method: method,
      payload: WireDuration(seconds: Int64(seconds ?? number)).serialized(), timeout: nil,
      metadata: Metadata())
    _ = buffer.writeFrame(
      streamID: UInt32(2 * number + 1), type: .request, message: request, limit: .max)
  }
  return Array(buffer.readableBytesView)
}

/// The outcome that a response frame carries.
func outcome(of frame: [UInt8]?) throws -> Result<[UInt8], RPCError> {
  try WireResponse(serialized: Array(try #require(frame).dropFirst(10))).outcome
}

func ownUserID() -> UInt32 { getuid() }

func ownProcessID() -> Int32 { getpid() }
