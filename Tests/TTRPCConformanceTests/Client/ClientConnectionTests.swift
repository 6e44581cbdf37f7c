import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import TTRPC

/// How our client makes, keeps and replaces its connection, and what its deadlines cover.
@Suite(.timeLimit(.minutes(15))) struct ClientConnectionTests {
  /// Counts attempts to connect that failed: each asks for one random number.
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
  func theDeadlineCoversWaitingForAConnection(shape: CallShape) async throws {
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
  func d8TheDeadlineCoversWritingToAPeerThatDoesNotRead(shape: CallShape) async throws {
    try await ManualTime.with { time in
      try await Stage.with(timers: time.eventLoop) { stage in
        let options = CallOptions(
          timeout: .seconds(86_400),
          // More than a socket holds, in the request itself.
          metadata: shape.streamsRequests ? [:] : ["k": String(repeating: "v", count: 4_000_000)])
        let code = Task {
          guard shape.streamsRequests else {
            return await stage.client.outcome(shape, options: options).code
          }
          let error = await #expect(throws: RPCError.self) {
            try await Self.writeWithoutEnd(stage.client, shape, options)
          }
          return error?.code
        }
        let peer = try await stage.accept()
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
  func theDeadlineCoversWaitingAndTheServerIsTold(shape: CallShape) async throws {
    try await ManualTime.with { time in
      try await Stage.with(timers: time.eventLoop) { stage in
        let options = CallOptions(timeout: .seconds(86_400))
        async let outcome = stage.client.outcome(shape, options: options)
        let script = try await stage.accept()
        _ = try await script.opening()
        if shape.streamsRequests { try await script.expect(.data(1, 41), .end(1)) }
        if shape.streamsResponses { try await script.send(.data(1, 1)) }
        await time.advance(by: .seconds(86_400))
        try await script.expect(.cancel(1))
        #expect(await outcome.code == .deadlineExceeded)
      }
    }
  }

  @Test func aPeerThatReadsAgainGetsTheRestOfABrokenOffWriteAndTheConnectionLives() async throws {
    try await ManualTime.with { time in
      try await Stage.with(timers: time.eventLoop) { stage in
        let options = CallOptions(
          timeout: .seconds(1800), metadata: ["k": String(repeating: "v", count: 4_000_000)])
        async let first = stage.client.outcome(.unary, options: options)
        let script = try await stage.accept()
        try await script.waitUntilReadable()
        // Not for so long that the next call gets a new connection.
        await time.advance(by: .seconds(1800))
        #expect(await first.code == .deadlineExceeded)
        #expect(try await script.opening().frame.streamID == 1)
        try await script.expect(.cancel(1))
        async let next = stage.client.outcome(.unary)
        #expect(try await script.opening().frame.streamID == 3)
        try await script.send(.response(3, 7))
        #expect(await next == Outcome(numbers: [7]))
      }
    }
  }

  // MARK: Connections

  @Test func manyWhoCallAtOnceShareOneConnection() async throws {
    try await Stage.with { stage in
      async let outcomes = withTaskGroup(of: Outcome.self) { group in
        for _ in 0..<50 { group.addTask { await stage.client.outcome(.unary) } }
        return await group.reduce(into: [Outcome]()) { $0.append($1) }
      }
      let script = try await stage.accept()
      for number in 0..<50 { try await script.answer(Int64(number)) }
      #expect(await outcomes.flatMap(\.numbers).sorted() == Array(0..<50))
    }
  }

  @Test func aClientThatIsClosedEndsItsCallsAndMakesNoOther() async throws {
    try await Stage.with { stage in
      let call = Task { await stage.client.outcome(.unary) }
      let script = try await stage.accept()
      _ = try await script.opening()
      await stage.client.close()
      #expect(await call.value.code == .unavailable)
      try await script.expectClosed()
      for waits in [false, true] {
        let options = CallOptions(waitsForReady: waits)
        #expect(await stage.client.outcome(.unary, options: options).code == .unavailable)
      }
    }
  }

  @Test func betweenAttemptsCallsFailAtOnceAndMakeNone() async throws {
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

  @Test func whoWaitsForAServerIsServedWhenItComes() async throws {
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

  @Test func whoWaitsForAServerMayGiveUp() async throws {
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

  @Test func whatWasGivenUpBeforeThereWasAConnectionIsNotSent() async throws {
    let attempts = Attempts()
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let client = TTRPC.Client(
        path: path, configuration: attempts.configuration(pause: .milliseconds(2)))
      let options = CallOptions(waitsForReady: true)
      let given = Task { await client.outcome(.unary, 1, options: options) }
      try await eventually { attempts.failed > 0 }
      given.cancel()
      #expect(await given.value.code == .cancelled)
      async let next = client.outcome(.unary, 2, options: options)
      let listener = try RawListener(path: path)
      let script = Script(try await listener.accept())
      try await script.expect(.request(1, "Echo", Proto.integer(1, 2)))
      try await script.send(.response(1, 7))
      #expect(await next == Outcome(numbers: [7]))
      await client.close()
    }
  }

  @Test func `a call on a connection that has grown old makes one other`() async throws {
    // Every connection is old as soon as it is made: the one that replaces it, too.
    var configuration = ClientConfiguration()
    configuration.connectionAge = .nanoseconds(-1)
    try await ManualTime.with { time in
      try await Stage.with(configuration, timers: time.eventLoop) { stage in
        let accepted = NIOLockedValueBox(0)
        let server = Task {
          try await withThrowingTaskGroup(of: Void.self) { group in
            while true {
              let script = try await stage.accept()
              accepted.withLockedValue { $0 += 1 }
              group.addTask { try await Self.answerCalls(of: script) {} }
            }
          }
        }
        for _ in 1...5 { #expect(await stage.client.outcome(.unary) == Outcome(numbers: [7])) }
        await stage.client.close()
        stage.listener.stop()
        _ = await server.result
        #expect(accepted.withLockedValue { $0 } == 5)
      }
    }
  }

  @Test func anOldConnectionIsReplacedAndClosedAfterItsLastAnswer() async throws {
    try await Self.withOldConnection { old, running in
      try await old.send(.data(1, 1), .end(1))
      #expect(await running.value == Outcome(numbers: [1]))
    }
  }

  @Test func anOldConnectionIsClosedWhenItsLastCallIsGivenUp() async throws {
    try await Self.withOldConnection { _, running in
      running.cancel()
      #expect(await running.value.code == .cancelled)
    }
  }

  /// Makes a client's connection old while a server stream runs on it, and waits until other calls go to
  /// a new one. Then the closure ends the stream, and the old connection must be closed.
  private static func withOldConnection(
    _ end: @Sendable (Script, Task<Outcome, Never>) async throws -> Void
  ) async throws {
    var configuration = ClientConfiguration()
    configuration.connectionAge = .nanoseconds(1)
    try await Stage.with(configuration) { stage in
      let running = Task { await stage.client.outcome(.serverStreaming) }
      let old = try await stage.accept()
      #expect(try await old.opening().frame.type == 1)
      let elsewhere = NIOLockedValueBox(0)
      try await withThrowingTaskGroup(of: Void.self) { group in
        // Returns once the client has closed the old connection.
        group.addTask { try await answerCalls(of: old) {} }
        let others = Task {
          try await withThrowingTaskGroup(of: Void.self) { others in
            while true {
              let script = try await stage.accept()
              others.addTask {
                try await answerCalls(of: script) { elsewhere.withLockedValue { $0 += 1 } }
              }
            }
          }
        }
        // They go out on the old one until there is another: nobody waits.
        while elsewhere.withLockedValue({ $0 }) == 0 {
          #expect(await stage.client.outcome(.unary) == Outcome(numbers: [7]))
        }
        try await end(old, running)
        try await group.waitForAll()
        stage.listener.stop()
        await stage.client.close()
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
