import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import TTRPC

/// Calls that take the short way, and the same calls on the long one: metadata make the difference, and
/// nothing else may.
@Suite(.timeLimit(.minutes(15))) struct PlainCallTests {
  /// Brackets that note what they see, as `name>` and `name<CODE`, and may refuse.
  private struct Witness: BracketingInterceptor {
    let name: String
    let notes: NIOLockedValueBox<[String]>
    var refuses = false

    func bracket(of method: MethodDescriptor, isKnown: Bool) -> (any CallBracket)? {
      Bracket(witness: self)
    }

    private final class Bracket: CallBracket {
      let witness: Witness

      init(witness: Witness) {
        self.witness = witness
      }

      func callBegan(_ context: inout ServerContext) throws(RPCError) {
        witness.note(">")
        if witness.refuses { throw RPCError(code: .permissionDenied, message: "not today") }
      }

      func callEnded(_ context: ServerContext, _ error: RPCError?) {
        witness.note("<\(error?.code ?? .ok)")
      }
    }

    func note(_ what: String) { notes.withLockedValue { $0.append(name + what) } }
  }

  private static let ways: [Metadata] = [Metadata(), ["k": "v"]]

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

  @Test(arguments: ways) func aDeferredAnswerComesFromAnotherThread(way: Metadata) async throws {
    try await withServer { path, server in
      let client = Client(path: path)
      let answer = try await call(client, "Later", seconds: 20, way).get()
      #expect(answer.seconds == 21)
      #expect(server.load.callsInFlight == 0)
    }
  }

  @Test(arguments: ways) func whatADeferredHandlerThrowsIsTheAnswer(way: Metadata) async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      #expect(code(await call(client, "Later", seconds: -1, way)) == .outOfRange)
      #expect(code(await call(client, "Later", seconds: 1, way)) == .ok)
    }
  }

  @Test(arguments: ways) func aDeadlineGivesADeferredCallUp(way: Metadata) async throws {
    let service = TestService()
    try await ManualTime.with { time in
      try await withServer(service: service) { path, server in
        let client = Client(
          path: path, configuration: ClientConfiguration(), timers: time.eventLoop)
        async let outcome = call(
          client, "Later", seconds: 60_000_000, timeout: .seconds(86_400), way)
        try await server.wait(forCalls: 1)
        await time.advance(by: .seconds(86_400))
        #expect(code(await outcome) == .deadlineExceeded)
        try await service.cancelled.wait()
        #expect(code(await call(client, "Later", seconds: 1, way)) == .ok)
        await client.close()
      }
    }
  }

  @Test(arguments: ways) func anAnswerFromMemoryIsAsAnyOther(way: Metadata) async throws {
    try await withServer { path, server in
      let client = Client(path: path)
      let method = MethodDescriptor(service: "p", name: "Now")
      let options = CallOptions(metadata: way)
      for size in [Int64(0), 1, 117, 118, 20_000] {
        let answer: WireStatus = try await client.unary(
          method, WireDuration(seconds: size), options: options)
        #expect(answer.message.utf8.count == Int(size))
      }
      #expect(code(await call(client, "Now", seconds: -1, way)) == .unknown)
      #expect(server.load.callsInFlight == 0)
    }
  }

  @Test(arguments: ways) func anAnswerAboveTheLimitIsRefusedToItsCallerAlone(
    way: Metadata
  ) async throws {
    var limits = ServerLimits()
    limits.wire.maximumMessageSize = 1024
    try await withServer(limits: limits) { path, _ in
      let client = Client(path: path)
      #expect(code(await call(client, "Now", seconds: 1024, way)) == .resourceExhausted)
      #expect(code(await call(client, "Echo", seconds: 10, way)) == .ok)
    }
  }

  @Test(arguments: ways) func bracketsAreAroundEveryEnding(way: Metadata) async throws {
    for (method, seconds, expected) in [
      ("Now", 1, "OK"), ("Now", -1, "UNKNOWN"), ("Later", 1, "OK"), ("Later", -1, "OUT_OF_RANGE"),
      ("Echo", 1, "OK"), ("Fail", 1, "UNKNOWN"), ("Refuse", 1, "FAILED_PRECONDITION"),
    ] as [(String, Int64, String)] {
      let notes = NIOLockedValueBox<[String]>([])
      let witnesses = ["a", "b"].map { Witness(name: $0, notes: notes) }
      try await withServer(interceptors: witnesses) { path, _ in
        _ = await call(Client(path: path), method, seconds: seconds, way)
        try await eventually { notes.withLockedValue { $0.count } == 4 }
      }
      let seen = notes.withLockedValue { $0 }
      #expect(
        seen == ["a>", "b>", "b<\(expected)", "a<\(expected)"], "\(method) \(seconds): \(seen)")
    }
  }

  @Test(arguments: ways, ["Later", "Wait"])
  func `hooks see the deadline that ended a call`(way: Metadata, method: String) async throws {
    let notes = NIOLockedValueBox<[String]>([])
    let witnesses = ["a", "b"].map { Witness(name: $0, notes: notes) }
    try await ManualTime.with { time in
      try await withServer(interceptors: witnesses) { path, _ in
        // The client's time stands still: it is the server that ends the call.
        let client = Client(
          path: path, configuration: ClientConfiguration(), timers: time.eventLoop)
        // On a slow machine, the time may be over before the request is sent.
        while notes.withLockedValue({ $0.isEmpty }) {
          let outcome = await call(
            client, method, seconds: 60_000_000, timeout: .milliseconds(50), way)
          #expect(code(outcome) == .deadlineExceeded)
        }
        // The call is over for its hooks when its handler is.
        try await eventually { notes.withLockedValue { $0.count } == 4 }
        await client.close()
      }
    }
    let seen = notes.withLockedValue { $0 }
    #expect(seen == ["a>", "b>", "b<DEADLINE_EXCEEDED", "a<DEADLINE_EXCEEDED"])
  }

  @Test(arguments: ways) func whatIsInsideOfABracketThatRefusesDoesNotRun(
    way: Metadata
  ) async throws {
    let notes = NIOLockedValueBox<[String]>([])
    let service = TestService()
    let witnesses = [
      Witness(name: "a", notes: notes), Witness(name: "b", notes: notes, refuses: true),
      Witness(name: "c", notes: notes),
    ]
    try await withServer(service: service, interceptors: witnesses) { path, server in
      let client = Client(path: path)
      #expect(code(await call(client, "Note", way)) == .permissionDenied)
      #expect(server.load.callsInFlight == 0)
    }
    #expect(notes.withLockedValue { $0 } == ["a>", "b>", "a<PERMISSION_DENIED"])
    #expect(service.notes.withLockedValue { $0 }.isEmpty)
  }
}
