import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import TTRPC

/// Calls around which only call hooks run, and the same calls inside interceptors.
///
/// A call with metadata runs inside interceptors. The two must not differ otherwise.
@Suite(.timeLimit(.minutes(15))) struct CallHookTests {
  /// An interceptor whose call hooks record `name>` and `name<CODE`, and may refuse the call.
  struct RecordingInterceptor: HookInterceptor {
    let name: String
    let notes: NIOLockedValueBox<[String]>
    var refuses = false

    func hook(for method: MethodDescriptor, isKnown: Bool) -> (any CallHook)? {
      Hook(recorder: self)
    }

    private final class Hook: CallHook {
      let recorder: RecordingInterceptor

      init(recorder: RecordingInterceptor) {
        self.recorder = recorder
      }

      func callBegan(_ context: inout ServerContext) throws(RPCError) {
        recorder.record(">")
        if recorder.refuses { throw RPCError(code: .permissionDenied, message: "not today") }
      }

      func callEnded(_ context: ServerContext, _ error: RPCError?) {
        recorder.record("<\(error?.code ?? .ok)")
      }
    }

    fileprivate func record(_ event: String) { notes.withLockedValue { $0.append(name + event) } }
  }

  private static let bothPaths: [Metadata] = [Metadata(), ["k": "v"]]

  private func call(
    _ client: Client, _ method: String, seconds: Int64 = 0, timeout: Duration? = nil,
    _ metadata: Metadata
  ) async -> Result<WireDuration, RPCError> {
    do throws(RPCError) {
      let options = CallOptions(timeout: timeout, metadata: metadata)
      return .success(
        try await ClientTests.call(client, method, seconds: seconds, options: options))
    } catch {
      return .failure(error)
    }
  }

  private func code(_ outcome: Result<WireDuration, RPCError>) -> StatusCode {
    if case .failure(let error) = outcome { error.code } else { .ok }
  }

  @Test(arguments: bothPaths) func `a deferred method answers from another thread`(
    metadata: Metadata
  ) async throws {
    try await withServer { path, server in
      let client = Client(path: path)
      let answer = try await call(client, "Later", seconds: 20, metadata).get()
      #expect(answer.seconds == 21)
      #expect(server.load.callsInFlight == 0)
    }
  }

  @Test(arguments: bothPaths) func `the error of a deferred handler reaches the caller`(
    metadata: Metadata
  ) async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      #expect(code(await call(client, "Later", seconds: -1, metadata)) == .outOfRange)
      #expect(code(await call(client, "Later", seconds: 1, metadata)) == .ok)
    }
  }

  @Test(arguments: bothPaths) func `a deadline cancels a deferred call`(metadata: Metadata)
    async throws
  {
    let service = TestService()
    try await ManualTime.with { time in
      try await withServer(service: service) { path, server in
        let client = Client(
          path: path, configuration: ClientConfiguration(), timers: time.eventLoop)
        async let outcome = call(
          client, "Later", seconds: 60_000_000, timeout: .seconds(86_400), metadata)
        try await server.wait(forCalls: 1)
        await time.advance(by: .seconds(86_400))
        #expect(code(await outcome) == .deadlineExceeded)
        try await service.cancelled.wait()
        #expect(code(await call(client, "Later", seconds: 1, metadata)) == .ok)
        await client.close()
      }
    }
  }

  @Test(arguments: bothPaths) func `an immediate method returns answers of any size, and errors`(
    metadata: Metadata
  ) async throws {
    try await withServer { path, server in
      let client = Client(path: path)
      let method = MethodDescriptor(service: "p", name: "Now")
      let options = CallOptions(metadata: metadata)
      for size in [Int64(0), 1, 117, 118, 20_000] {
        let answer: WireStatus = try await client.unary(
          method, WireDuration(seconds: size), options: options)
        #expect(answer.message.utf8.count == Int(size))
      }
      #expect(code(await call(client, "Now", seconds: -1, metadata)) == .unknown)
      #expect(server.load.callsInFlight == 0)
    }
  }

  @Test(arguments: bothPaths) func `an answer above the size limit fails its own call only`(
    metadata: Metadata
  ) async throws {
    var limits = ServerLimits.patient
    limits.wire.maximumMessageSize = 1024
    try await withServer(limits: limits) { path, _ in
      let client = Client(path: path)
      #expect(code(await call(client, "Now", seconds: 1024, metadata)) == .resourceExhausted)
      #expect(code(await call(client, "Echo", seconds: 10, metadata)) == .ok)
    }
  }

  @Test(arguments: bothPaths) func `call hooks see the start and the result of every call`(
    metadata: Metadata
  ) async throws {
    for (method, seconds, expected) in [
      ("Now", 1, "OK"), ("Now", -1, "UNKNOWN"), ("Later", 1, "OK"), ("Later", -1, "OUT_OF_RANGE"),
      ("Echo", 1, "OK"), ("Fail", 1, "UNKNOWN"), ("Refuse", 1, "FAILED_PRECONDITION"),
    ] as [(String, Int64, String)] {
      let notes = NIOLockedValueBox<[String]>([])
      let recorders = ["a", "b"].map { RecordingInterceptor(name: $0, notes: notes) }
      try await withServer(interceptors: recorders) { path, _ in
        _ = await call(Client(path: path), method, seconds: seconds, metadata)
        try await eventually { notes.withLockedValue { $0.count } == 4 }
      }
      let seen = notes.withLockedValue { $0 }
      #expect(
        seen == ["a>", "b>", "b<\(expected)", "a<\(expected)"], "\(method) \(seconds): \(seen)")
    }
  }

  @Test(arguments: bothPaths, ["Later", "Wait"])
  func `hooks see the deadline that ended a call`(metadata: Metadata, method: String) async throws {
    let notes = NIOLockedValueBox<[String]>([])
    let recorders = ["a", "b"].map { RecordingInterceptor(name: $0, notes: notes) }
    try await ManualTime.with { time in
      try await withServer(interceptors: recorders) { path, _ in
        // The client's clock stands still, so the server ends the call.
        let client = Client(
          path: path, configuration: ClientConfiguration(), timers: time.eventLoop)
        // On a slow machine, the deadline may pass before the request is sent.
        while notes.withLockedValue({ $0.isEmpty }) {
          let outcome = await call(
            client, method, seconds: 60_000_000, timeout: .milliseconds(50), metadata)
          #expect(code(outcome) == .deadlineExceeded)
        }
        // The hooks learn of the end when the handler returns.
        try await eventually { notes.withLockedValue { $0.count } == 4 }
        await client.close()
      }
    }
    let seen = notes.withLockedValue { $0 }
    #expect(seen == ["a>", "b>", "b<DEADLINE_EXCEEDED", "a<DEADLINE_EXCEEDED"])
  }

  @Test(arguments: bothPaths)
  func `a hook that refuses a call keeps inner hooks and the handler from running`(
    metadata: Metadata
  ) async throws {
    let notes = NIOLockedValueBox<[String]>([])
    let service = TestService()
    let recorders = [
      RecordingInterceptor(name: "a", notes: notes),
      RecordingInterceptor(name: "b", notes: notes, refuses: true),
      RecordingInterceptor(name: "c", notes: notes),
    ]
    try await withServer(service: service, interceptors: recorders) { path, server in
      let client = Client(path: path)
      #expect(code(await call(client, "Note", metadata)) == .permissionDenied)
      #expect(server.load.callsInFlight == 0)
    }
    #expect(notes.withLockedValue { $0 } == ["a>", "b>", "a<PERMISSION_DENIED"])
    #expect(service.notes.withLockedValue { $0 }.isEmpty)
  }
}
