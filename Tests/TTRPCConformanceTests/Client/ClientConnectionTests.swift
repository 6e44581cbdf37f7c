import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import TTRPC

/// The connections of the client, and the scope of its deadlines.
@Suite(.timeLimit(.minutes(15))) struct ClientConnectionTests {
  /// Counts failed connection attempts, each of which draws one random number for its pause.
  private final class Attempts: Sendable {
    private let count = NIOLockedValueBox(0)

    var failed: Int { count.withLockedValue { $0 } }

    func configuration(pause: Duration) -> ClientConfiguration {
      var configuration = ClientConfiguration()
      configuration.backoff = ConnectionBackoff(initial: pause, maximum: pause) { [self] in
        count.withLockedValue { $0 += 1 }
        return 0
      }
      return configuration
    }
  }

  // MARK: Deadlines

  @Test(arguments: CallShape.all)
  func `a deadline covers waiting for a connection`(shape: CallShape) async throws {
    let attempts = Attempts()
    try await ManualTime.with { time in
      try await withTemporaryFolder { folder in
        let client = TTRPC.Client(
          path: "\(folder)/socket", configuration: attempts.configuration(pause: .seconds(1)),
          timers: time.eventLoop)
        let options = CallOptions(timeout: .seconds(86_400), waitsForReady: true)
        async let outcome = client.outcome(shape, options: options)
        try await eventually("an attempt after a pause") {
          await time.advance(by: .seconds(1))
          return attempts.failed > 1
        }
        await time.advance(by: .seconds(86_400))
        #expect(await outcome.code == .deadlineExceeded)
        await client.close()
      }
    }
  }

  @Test(arguments: CallShape.all)
  func `a deadline covers writing to a peer that does not read, defect D8`(shape: CallShape)
    async throws
  {
    try await ManualTime.with { time in
      try await Fixture.with(timers: time.eventLoop) { fixture in
        let options = CallOptions(
          timeout: .seconds(86_400),
          // More than a socket buffer holds, in the request itself.
          metadata: shape.streamsRequests ? [:] : ["k": String(repeating: "v", count: 4_000_000)])
        let code = Task {
          guard shape.streamsRequests else {
            return await fixture.client.outcome(shape, options: options).code
          }
          let error = await #expect(throws: RPCError.self) {
            try await Self.writeWithoutEnd(fixture.client, shape, options)
          }
          return error?.code
        }
        let peer = try await fixture.accept()
        try await peer.waitUntilReadable()
        await time.advance(by: .seconds(86_400))
        #expect(await code.value == .deadlineExceeded)
      }
    }
  }

  private static func writeWithoutEnd(
    _ client: TTRPC.Client, _ shape: CallShape, _ options: CallOptions
  ) async throws {
    let block = Blob(data: [UInt8](repeating: 7, count: 100_000))
    if shape == .clientStreaming {
      let _: Number = try await client.clientStreaming(shape.method, options: options) {
        (requests: RequestWriter<Blob>) in while true { try await requests.write(block) }
      }
    } else {
      try await client.bidirectional(shape.method, options: options) {
        (requests: RequestWriter<Blob>, _: MessageStream<Number>) in
        while true { try await requests.write(block) }
      }
    }
  }

  @Test(arguments: CallShape.all)
  func `a deadline covers waiting for the answer, and the server is told`(shape: CallShape)
    async throws
  {
    try await ManualTime.with { time in
      try await Fixture.with(timers: time.eventLoop) { fixture in
        let options = CallOptions(timeout: .seconds(86_400))
        async let outcome = fixture.client.outcome(shape, options: options)
        let script = try await fixture.accept()
        _ = try await script.opening()
        if shape.streamsRequests { try await script.expect(.data(1, 41), .end(1)) }
        if shape.streamsResponses { try await script.send(.data(1, 1)) }
        await time.advance(by: .seconds(86_400))
        try await script.expect(.cancel(1))
        #expect(await outcome.code == .deadlineExceeded)
      }
    }
  }

  @Test func `an interrupted write is completed when the peer reads again`() async throws {
    try await ManualTime.with { time in
      try await Fixture.with(timers: time.eventLoop) { fixture in
        let options = CallOptions(
          timeout: .seconds(1800), metadata: ["k": String(repeating: "v", count: 4_000_000)])
        async let first = fixture.client.outcome(.unary, options: options)
        let script = try await fixture.accept()
        try await script.waitUntilReadable()
        // Less than the connection age, so that the next call uses the same connection.
        await time.advance(by: .seconds(1800))
        #expect(await first.code == .deadlineExceeded)
        #expect(try await script.opening().frame.streamID == 1)
        try await script.expect(.cancel(1))
        async let next = fixture.client.outcome(.unary)
        #expect(try await script.opening().frame.streamID == 3)
        try await script.send(.response(3, 7))
        #expect(await next == Outcome(numbers: [7]))
      }
    }
  }

  // MARK: Connections

  @Test func `concurrent calls share one connection`() async throws {
    try await Fixture.with { fixture in
      async let outcomes = withTaskGroup(of: Outcome.self) { group in
        for _ in 0..<50 { group.addTask { await fixture.client.outcome(.unary) } }
        return await group.reduce(into: [Outcome]()) { $0.append($1) }
      }
      let script = try await fixture.accept()
      for number in 0..<50 { try await script.answer(Int64(number)) }
      #expect(await outcomes.flatMap(\.numbers).sorted() == Array(0..<50))
    }
  }

  @Test func `a closed client ends its calls and makes no others`() async throws {
    try await Fixture.with { fixture in
      let call = Task { await fixture.client.outcome(.unary) }
      let script = try await fixture.accept()
      _ = try await script.opening()
      await fixture.client.close()
      #expect(await call.value.code == .unavailable)
      try await script.expectClosed()
      for waits in [false, true] {
        let options = CallOptions(waitsForReady: waits)
        #expect(await fixture.client.outcome(.unary, options: options).code == .unavailable)
      }
    }
  }

  @Test func `between connection attempts, calls fail at once and make no attempt`() async throws {
    let attempts = Attempts()
    try await withTemporaryFolder { folder in
      let client = TTRPC.Client(
        path: "\(folder)/socket", configuration: attempts.configuration(pause: .seconds(3600)))
      for shape in CallShape.all + CallShape.all {
        #expect(await client.outcome(shape).code == .unavailable)
      }
      #expect(attempts.failed == 1)
      await client.close()
    }
  }

  @Test func `calls that wait for the server succeed when it starts`() async throws {
    let attempts = Attempts()
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let client = TTRPC.Client(
        path: path, configuration: attempts.configuration(pause: .milliseconds(2)))
      let calls = Task {
        await withTaskGroup(of: Outcome.self) { group in
          for _ in 0..<10 {
            group.addTask {
              await client.outcome(.unary, options: CallOptions(waitsForReady: true))
            }
          }
          return await group.reduce(into: [Outcome]()) { $0.append($1) }
        }
      }
      try await eventually { attempts.failed >= 3 }
      let listener = try RawListener(path: path)
      let script = Script(try await listener.accept())
      for number in 0..<10 { try await script.answer(Int64(number)) }
      #expect(await calls.value.flatMap(\.numbers).sorted() == Array(0..<10))
      // One connection served them all.
      await client.close()
      try await script.expectClosed()
    }
  }

  @Test func `a call that waits for the server can be cancelled`() async throws {
    let attempts = Attempts()
    try await withTemporaryFolder { folder in
      let client = TTRPC.Client(
        path: "\(folder)/socket", configuration: attempts.configuration(pause: .milliseconds(2)))
      for shape in CallShape.all {
        let before = attempts.failed
        let call = Task {
          await client.outcome(shape, options: CallOptions(waitsForReady: true))
        }
        try await eventually { attempts.failed > before }
        call.cancel()
        #expect(await call.value.code == .cancelled, "\(shape)")
      }
      let call = Task {
        await client.outcome(.unary, options: CallOptions(waitsForReady: true))
      }
      let before = attempts.failed
      try await eventually { attempts.failed > before }
      await client.close()
      #expect(await call.value.code == .unavailable)
    }
  }

  @Test func `a call that is cancelled before there is a connection is not sent`() async throws {
    let attempts = Attempts()
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let client = TTRPC.Client(
        path: path, configuration: attempts.configuration(pause: .milliseconds(2)))
      let options = CallOptions(waitsForReady: true)
      let cancelled = Task { await client.outcome(.unary, 1, options: options) }
      try await eventually { attempts.failed > 0 }
      cancelled.cancel()
      #expect(await cancelled.value.code == .cancelled)
      async let next = client.outcome(.unary, 2, options: options)
      let listener = try RawListener(path: path)
      let script = Script(try await listener.accept())
      try await script.expect(.request(1, "Echo", Proto.integer(1, 2)))
      try await script.send(.response(1, 7))
      #expect(await next == Outcome(numbers: [7]))
      await client.close()
    }
  }

  @Test func `a call on an old connection makes one new connection`() async throws {
    // Every connection is old as soon as it is made, its replacement included.
    var configuration = ClientConfiguration()
    configuration.connectionAge = .nanoseconds(-1)
    try await ManualTime.with { time in
      try await Fixture.with(configuration, timers: time.eventLoop) { fixture in
        let accepted = NIOLockedValueBox(0)
        let server = Task {
          try await withThrowingTaskGroup(of: Void.self) { group in
            while true {
              let script = try await fixture.accept()
              accepted.withLockedValue { $0 += 1 }
              group.addTask { try await Self.answerCalls(of: script) {} }
            }
          }
        }
        for _ in 1...5 { #expect(await fixture.client.outcome(.unary) == Outcome(numbers: [7])) }
        await fixture.client.close()
        fixture.listener.stop()
        _ = await server.result
        #expect(accepted.withLockedValue { $0 } == 5)
      }
    }
  }

  @Test func `an old connection is replaced, and closed after its last answer`() async throws {
    try await Self.withOldConnection { old, running in
      try await old.send(.data(1, 1), .end(1))
      #expect(await running.value == Outcome(numbers: [1]))
    }
  }

  @Test func `an old connection is closed when its last call is cancelled`() async throws {
    try await Self.withOldConnection { _, running in
      running.cancel()
      #expect(await running.value.code == .cancelled)
    }
  }

  /// Lets a client's connection grow old while a server stream runs on it.
  ///
  /// Once other calls use a new connection, the closure ends the stream. Then the old connection
  /// must be closed.
  private static func withOldConnection(
    _ end: @Sendable (Script, Task<Outcome, Never>) async throws -> Void
  ) async throws {
    var configuration = ClientConfiguration()
    configuration.connectionAge = .nanoseconds(1)
    try await Fixture.with(configuration) { fixture in
      let running = Task { await fixture.client.outcome(.serverStreaming) }
      let old = try await fixture.accept()
      #expect(try await old.opening().frame.type == 1)
      let callsOnNewConnections = NIOLockedValueBox(0)
      try await withThrowingTaskGroup(of: Void.self) { group in
        // Returns once the client has closed the old connection.
        group.addTask { try await answerCalls(of: old) {} }
        let others = Task {
          try await withThrowingTaskGroup(of: Void.self) { others in
            while true {
              let script = try await fixture.accept()
              others.addTask {
                try await answerCalls(of: script) {
                  callsOnNewConnections.withLockedValue { $0 += 1 }
                }
              }
            }
          }
        }
        // Calls use the old connection until there is a new one, so that none of them waits.
        while callsOnNewConnections.withLockedValue({ $0 }) == 0 {
          #expect(await fixture.client.outcome(.unary) == Outcome(numbers: [7]))
        }
        try await end(old, running)
        try await group.waitForAll()
        fixture.listener.stop()
        await fixture.client.close()
        _ = await others.result
      }
    }
  }

  /// Answers unary calls until the client closes.
  private static func answerCalls(
    of script: Script, _ onCall: @Sendable () -> Void
  ) async throws {
    while let frame = try await script.next() {
      guard frame.type == 1 else { continue }
      onCall()
      try await script.send(.response(frame.streamID, 7))
    }
  }
}
