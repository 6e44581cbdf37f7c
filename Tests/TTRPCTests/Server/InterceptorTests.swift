import CoreMetrics
import Instrumentation
import Logging
import MetricsTestKit
import NIOConcurrencyHelpers
import ServiceContextModule
import TestSupport
import Testing

@testable import TTRPC

/// Interceptors of the server and the client, for calls of every shape.
@Suite(.timeLimit(.minutes(15))) struct InterceptorTests {
  /// An interceptor that records `name>` before and `name<CODE` after a call.
  private struct RecordingInterceptor: ServerInterceptor, ClientInterceptor {
    let name: String
    let notes: Notes

    func intercept(
      _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
    ) async throws(RPCError) {
      try await record { () throws(RPCError) in try await next(context) }
    }

    func intercept(
      _ context: ClientContext, next: (ClientContext) async throws(RPCError) -> Void
    ) async throws(RPCError) {
      try await record { () throws(RPCError) in try await next(context) }
    }

    private func record(_ call: () async throws(RPCError) -> Void) async throws(RPCError) {
      notes.add("\(name)>")
      do throws(RPCError) {
        try await call()
      } catch {
        notes.add("\(name)<\(error.code)")
        throw error
      }
      notes.add("\(name)<OK")
    }
  }

  private final class Notes: Sendable {
    private let lines = NIOLockedValueBox<[String]>([])

    var all: [String] { lines.withLockedValue { $0 } }

    func add(_ line: String) { lines.withLockedValue { $0.append(line) } }

    /// Waits for at least `count` lines.
    func wait(for count: Int) async throws -> [String] {
      try await eventually("\(count) lines") { all.count >= count }
      return all
    }
  }

  private struct Refusal: ServerInterceptor {
    func intercept(
      _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
    ) async throws(RPCError) {
      throw RPCError(code: .permissionDenied, message: "not today")
    }
  }

  /// Makes a call of the given shape, and returns its status code.
  private static func call(
    _ shape: CallShape, _ client: Client, timeout: Duration? = nil, stalls: Bool = false
  ) async -> StatusCode {
    let options = CallOptions(timeout: timeout)
    do {
      switch shape {
      case .unary:
        _ = try await ClientTests.call(
          client, stalls ? "Wait" : "Echo", seconds: stalls ? 60_000 : 1, options: options)
      case .serverStreaming:
        let method = MethodDescriptor(
          service: "p", name: stalls ? "Watch" : "Many", shape: .serverStreaming)
        try await client.serverStreaming(method, WireDuration(seconds: 2), options: options) {
          (responses: MessageStream<WireDuration>) in
          for try await _ in responses {}
        }
      case .clientStreaming:
        let method = MethodDescriptor(service: "p", name: "Sum", shape: .clientStreaming)
        let _: WireDuration = try await client.clientStreaming(method, options: options) {
          (requests: RequestWriter<WireDuration>) in
          try await requests.write(WireDuration(seconds: 1))
          if stalls { try await Task.sleep(for: .milliseconds(50)) }
        }
      case .bidirectional:
        let method = MethodDescriptor(
          service: "p", name: stalls ? "Stall" : "Bidi", shape: .bidirectional)
        try await client.bidirectional(method, options: options) {
          (requests: RequestWriter<WireDuration>, responses: MessageStream<WireDuration>) in
          try await requests.write(WireDuration(seconds: 1))
          try await requests.finish()
          for try await _ in responses {}
        }
      }
      return .ok
    } catch {
      return (error as? RPCError)?.code ?? .unknown
    }
  }

  private static let shapes: [CallShape] = [
    .unary, .serverStreaming, .clientStreaming, .bidirectional,
  ]

  @Test(arguments: shapes) func `the first interceptor is the outermost on both sides`(
    shape: CallShape
  ) async throws {
    let (servers, clients) = (Notes(), Notes())
    let interceptors = ["a", "b"].map { RecordingInterceptor(name: $0, notes: servers) }
    try await withServer(interceptors: interceptors) { path, _ in
      var configuration = ClientConfiguration()
      configuration.interceptors = ["a", "b"].map { RecordingInterceptor(name: $0, notes: clients) }
      let client = Client(path: path, configuration: configuration)
      #expect(await Self.call(shape, client) == .ok)
      for notes in [servers, clients] {
        let seen = try await notes.wait(for: 4)
        #expect(seen == ["a>", "b>", "b<OK", "a<OK"])
      }
    }
  }

  @Test(arguments: shapes) func `the error of an interceptor is the status of the call`(
    shape: CallShape
  ) async throws {
    let notes = Notes()
    let interceptors: [any ServerInterceptor] = [
      RecordingInterceptor(name: "a", notes: notes), Refusal(),
    ]
    try await withServer(interceptors: interceptors) { path, _ in
      #expect(await Self.call(shape, Client(path: path)) == .permissionDenied)
      let seen = try await notes.wait(for: 2)
      #expect(seen == ["a>", "a<PERMISSION_DENIED"])
    }
  }

  @Test(arguments: [CallShape.unary, .serverStreaming, .bidirectional])
  func `an interceptor sees the deadline that ended a call`(shape: CallShape) async throws {
    let notes = Notes()
    try await ManualTime.with { time in
      try await withServer(interceptors: [RecordingInterceptor(name: "a", notes: notes)]) {
        path, _ in
        // The client's clock stands still, so the server ends the call.
        let client = Client(
          path: path, configuration: ClientConfiguration(), timers: time.eventLoop)
        var seen: [String] = []
        // On a slow machine, the deadline may pass before the request is sent.
        while seen.isEmpty {
          let code = await Self.call(shape, client, timeout: .milliseconds(100), stalls: true)
          #expect(code == .deadlineExceeded)
          seen = notes.all
        }
        seen = try await notes.wait(for: 2)
        #expect(seen.last == "a<DEADLINE_EXCEEDED")
        await client.close()
      }
    }
  }

  @Test func `an interceptor sees calls of unknown methods`() async throws {
    let notes = Notes()
    try await withServer(interceptors: [RecordingInterceptor(name: "a", notes: notes)]) { path, _ in
      let error = try await ClientTests.error { () throws(RPCError) in
        try await ClientTests.call(Client(path: path), "Nothing")
      }
      #expect(error.code == .unimplemented)
      #expect(try await notes.wait(for: 2) == ["a>", "a<UNIMPLEMENTED"])
    }
  }

  @Test func `a call without a deadline gets the default of the server`() async throws {
    let service = TestService()
    let deadline = DefaultDeadline(.milliseconds(50))
    try await withServer(service: service, interceptors: [deadline]) { path, _ in
      let client = Client(path: path)
      #expect(await Self.call(.unary, client, stalls: true) == .deadlineExceeded)
      try await service.cancelled.wait()
      // The caller's own deadline takes precedence, and streams have no default.
      let answer = try await ClientTests.call(
        client, "Wait", seconds: 100, options: CallOptions(timeout: .seconds(30)))
      #expect(answer.seconds == 100)
      #expect(await Self.call(.clientStreaming, client, stalls: true) == .ok)
    }
  }

  @Test func `calls are counted by method and status`() async throws {
    // The process has one metrics system, which concurrent tests use, too.
    let metrics = TestMetrics()
    MetricsSystem.bootstrap(metrics)
    let methods = ["Echo", "Refuse", "made up", "made up, too"]
    try await withServer(interceptors: [ServerCallMetrics()]) { path, server in
      var configuration = ClientConfiguration()
      configuration.interceptors = [ClientCallMetrics()]
      let client = Client(path: path, configuration: configuration)
      for method in methods { _ = try? await ClientTests.call(client, method, seconds: 1) }
      #expect(await Self.call(.serverStreaming, client) == .ok)
      try await server.waitUntilIdle()
    }
    func count(_ label: String, _ method: String, _ code: String) throws -> Int64 {
      try metrics.expectCounter(label, [("method", method), ("code", code)]).totalValue
    }
    let label = "ttrpc_server_calls_total"
    #expect(try count(label, "p/Echo", "OK") == 1)
    #expect(try count(label, "p/Refuse", "FAILED_PRECONDITION") == 1)
    #expect(try count(label, "unknown", "UNIMPLEMENTED") == 2)
    #expect(try count(label, "p/Many", "OK") == 1)
    #expect(try count("ttrpc_client_calls_total", "p/made up", "UNIMPLEMENTED") == 1)
    let many = [("method", "p/Many")]
    #expect(try metrics.expectCounter("ttrpc_server_sent_bytes_total", many).totalValue == 4)
    #expect(try metrics.expectCounter("ttrpc_client_received_bytes_total", many).totalValue == 4)
    #expect(try metrics.expectTimer("ttrpc_server_call_duration_seconds", many).values.count == 1)
    #expect(try metrics.expectMeter("ttrpc_server_calls_in_flight").lastValue == 0)
  }

  @Test func `a trace goes from the caller to the handler and into the log`() async throws {
    InstrumentationSystem.bootstrap(TraceContextPropagator())
    let notes = Notes()
    var logger = Logger(label: "test") { _ in RecordingLogHandler { notes.add($0) } }
    logger.logLevel = .info
    try await withServer(
      interceptors: [ServerTracing(), AccessLog()], logger: logger
    ) { path, _ in
      var configuration = ClientConfiguration()
      configuration.interceptors = [ClientTracing()]
      let client = Client(path: path, configuration: configuration)
      var context = ServiceContext.topLevel
      let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      context.trace = TraceContext(traceparent: parent)
      try await ServiceContext.withValue(context) {
        _ = try await ClientTests.call(client, "Echo")
      }
      let line = try #require(try await notes.wait(for: 1).first)
      #expect(line.contains("trace_id=0af7651916cd43dd8448eb211c80319c"))
      #expect(line.contains("status=OK"))
      #expect(line.contains("method=p/Echo"))
      #expect(line.contains("peer=uid \(ownUserID())"))
    }
  }

  @Test(
    arguments: [
      ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
      ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", true),
      ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", false),
      ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
      ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
      ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
      ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false),
      ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", false), ("", false),
      ("é0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
    ])
  func `a traceparent is parsed as W3C Trace Context specifies`(text: String, isValid: Bool) {
    let trace = TraceContext(traceparent: text)
    #expect((trace != nil) == isValid)
    if text.hasPrefix("00"), isValid { #expect(trace?.traceparent == text) }
  }
}

/// A log handler that passes the metadata of each event to a closure.
private struct RecordingLogHandler: LogHandler {
  let record: @Sendable (String) -> Void
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  init(_ record: @escaping @Sendable (String) -> Void) {
    self.record = record
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    record(all.map { "\($0)=\($1)" }.sorted().joined(separator: " "))
  }
}
