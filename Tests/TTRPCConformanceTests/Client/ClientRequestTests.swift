import TTRPC
import TestSupport
import Testing

/// The frames that the client sends.
@Suite(.timeLimit(.minutes(15))) struct ClientRequestTests {
  /// The frames of a call of the given shape with the number 41.
  ///
  /// containerd's client sends the same frames, but without the flag 0x04 (no data) on a request
  /// without a message.
  private static func frames(_ shape: CallShape, on streamID: UInt32 = 1) -> [Frame] {
    let name = shape.method.name
    let number = Proto.integer(1, 41)
    return switch shape {
    case .unary: [.request(streamID, name, number)]
    case .serverStreaming: [.request(streamID, name, number, flags: 0x01)]
    case .clientStreaming, .bidirectional:
      [.request(streamID, name, flags: 0x06), .data(streamID, 41), .end(streamID)]
    }
  }

  private static func end(_ shape: CallShape, on streamID: UInt32 = 1) -> Frame {
    shape.streamsResponses ? .end(streamID) : .response(streamID, 7)
  }

  @Test(arguments: CallShape.all)
  func `a call sends its frames and nothing after them`(shape: CallShape) async throws {
    try await Fixture.with { fixture in
      async let outcome = fixture.client.outcome(shape)
      let script = try await fixture.accept()
      for frame in Self.frames(shape) { try await script.expect(frame) }
      try await script.send(Self.end(shape))
      #expect(await outcome == Outcome(numbers: shape.streamsResponses ? [] : [7]))
      // The next call shows that nothing else was sent for the first.
      async let next = fixture.client.outcome(.unary)
      try await script.expect(Self.frames(.unary, on: 3)[0])
      try await script.send(.response(3, 42))
      #expect(await next == Outcome(numbers: [42]))
      await fixture.client.close()
      try await script.expectClosed()
    }
  }

  @Test(arguments: CallShape.all)
  func `the timeout and metadata are sent with calls of every shape`(shape: CallShape) async throws
  {
    try await Fixture.with { fixture in
      var metadata: Metadata = ["K": "v", "k2": ""]
      metadata.append("w", for: "k")
      let options = CallOptions(timeout: .seconds(60), metadata: metadata)
      async let outcome = fixture.client.outcome(shape, options: options)
      let script = try await fixture.accept()
      let opening = try await script.opening().envelope
      // The remaining time.
      #expect((1...60_000_000_000).contains(opening.timeout))
      #expect(
        opening.metadata == [
          .init(key: "k", value: "v"), .init(key: "k2", value: ""), .init(key: "k", value: "w"),
        ])
      #expect(opening.service == "p" && opening.method == shape.method.name)
      try await script.send(Self.end(shape))
      _ = await outcome
    }
  }

  @Test func `empty messages are sent as messages`() async throws {
    try await Fixture.with { fixture in
      async let stream = fixture.client.outcome(.clientStreaming, 0)
      let script = try await fixture.accept()
      try await script.expect(.request(1, "Sum", flags: 0x06), Frame(3, 1), .end(1))
      try await script.send(.response(1, 1))
      #expect(await stream == Outcome(numbers: [1]))
      async let call = fixture.client.outcome(.unary, 0)
      try await script.expect(.request(3, "Echo"))
      try await script.send(Frame(2, 3))
      #expect(await call == Outcome(numbers: [0]))
    }
  }

  @Test func `a call that has finished its requests sends no more`() async throws {
    try await Fixture.with { fixture in
      async let answer: Number = fixture.client.clientStreaming(CallShape.clientStreaming.method) {
        (requests: RequestWriter<Number>) in
        try await requests.write(Number(value: 41))
        try await requests.finish()
        try await requests.finish()
        let error = await #expect(throws: RPCError.self) { try await requests.write(Number()) }
        #expect(error?.code == .failedPrecondition)
      }
      let script = try await fixture.accept()
      for frame in Self.frames(.clientStreaming) { try await script.expect(frame) }
      try await script.send(.response(1, 7))
      #expect(try await answer.value == 7)
      async let next = fixture.client.outcome(.unary)
      try await script.expect(Self.frames(.unary, on: 3)[0])
      try await script.send(.response(3, 42))
      _ = await next
    }
  }

  @Test func `ids rise by two on the wire, and unary calls send no data frames`() async throws {
    try await Fixture.with { fixture in
      async let outcomes = withTaskGroup(of: Outcome.self) { group in
        for number in 0..<400 {
          group.addTask { await fixture.client.outcome(CallShape.all[number % 4]) }
        }
        return await group.reduce(into: [Outcome]()) { $0.append($1) }
      }
      let script = try await fixture.accept()
      var expected: UInt32 = 1
      var shapes: [UInt32: String] = [:]
      while shapes.count < 400 || !shapes.values.allSatisfy({ $0 == "done" }) {
        let frame = try #require(try await script.next())
        if frame.type == 1 {
          #expect(frame.streamID == expected)
          expected = frame.streamID + 2
          let name = try Opening(frame).method
          shapes[frame.streamID] = name
          guard name == "Echo" || name == "Many" else { continue }
        } else {
          #expect(["Sum", "Bidi"].contains(shapes[frame.streamID]), "\(frame)")
          guard frame == .end(frame.streamID) else { continue }
        }
        let streams = ["Many", "Bidi"].contains(shapes[frame.streamID])
        try await script.send(streams ? .end(frame.streamID) : .response(frame.streamID, 1))
        shapes[frame.streamID] = "done"
      }
      #expect(await outcomes.count { $0.code == nil } == 400)
    }
  }

  @Test(arguments: CallShape.all)
  func `a cancelled call sends one Cancel frame`(shape: CallShape) async throws {
    try await Fixture.with { fixture in
      let call = Task { await fixture.client.outcome(shape) }
      let script = try await fixture.accept()
      for frame in Self.frames(shape) { try await script.expect(frame) }
      call.cancel()
      try await script.expect(.cancel(1))
      #expect(await call.value.code == .cancelled)
      // The client ignores later frames for the cancelled call.
      try await script.send(.data(1, 9), .status(1, 1), .end(1))
      async let next = fixture.client.outcome(.unary)
      try await script.expect(Self.frames(.unary, on: 3)[0])
      try await script.send(.response(3, 42))
      #expect(await next == Outcome(numbers: [42]))
    }
  }

  @Test func `a closure that returns before the end of its stream cancels it`() async throws {
    try await Fixture.with { fixture in
      let script = try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          let number = try await fixture.client.serverStreaming(
            CallShape.serverStreaming.method, Number(value: 41)
          ) { (responses: MessageStream<Number>) in try await responses.next()?.value }
          #expect(number == 1)
          let other = try await fixture.client.bidirectional(CallShape.bidirectional.method) {
            (requests: RequestWriter<Number>, _: MessageStream<Number>) in
            try await requests.write(Number(value: 5))
            return 5
          }
          #expect(other == 5)
        }
        let script = try await fixture.accept()
        try await script.expect(Self.frames(.serverStreaming)[0])
        try await script.send(.data(1, 1))
        try await script.expect(.cancel(1))
        try await script.expect(.request(3, "Bidi", flags: 0x06), .data(3, 5), .cancel(3))
        try await group.waitForAll()
        return script
      }
      await fixture.client.close()
      try await script.expectClosed()
    }
  }

  @Test func `a closure that throws cancels its call`() async throws {
    struct ClosureError: Error {}
    try await Fixture.with { fixture in
      async let error = #expect(throws: ClosureError.self) {
        let _: Number = try await fixture.client.clientStreaming(CallShape.clientStreaming.method) {
          (requests: RequestWriter<Number>) in
          try await requests.write(Number(value: 41))
          throw ClosureError()
        }
      }
      let script = try await fixture.accept()
      try await script.expect(.request(1, "Sum", flags: 0x06), .data(1, 41), .cancel(1))
      _ = await error
    }
  }

  @Test func `an answer before the end stops the requests`() async throws {
    try await Fixture.with { fixture in
      async let answer: Number = fixture.client.clientStreaming(CallShape.clientStreaming.method) {
        (requests: RequestWriter<Number>) in
        while true { try await requests.write(Number(value: 41)) }
      }
      let script = try await fixture.accept()
      try await script.expect(.request(1, "Sum", flags: 0x06), .data(1, 41))
      try await script.send(.response(1, 7))
      #expect(try await answer.value == 7)
      async let next = fixture.client.outcome(.unary)
      // Messages that were already on their way, but no end and no Cancel.
      var frame = try await script.next()
      while frame == .data(1, 41) { frame = try await script.next() }
      #expect(frame == Self.frames(.unary, on: 3)[0])
      try await script.send(.response(3, 42))
      _ = await next
    }
  }

  @Test(arguments: [CallShape.unary, .serverStreaming])
  func `a request above the size limit is not sent`(shape: CallShape) async throws {
    var configuration = ClientConfiguration()
    configuration.limits.wire = WireLimits(maximumMessageSize: 64)
    try await Fixture.with(configuration) { fixture in
      let options = CallOptions(metadata: ["k": String(repeating: "v", count: 64)])
      #expect(await fixture.client.outcome(shape, options: options).code == .resourceExhausted)
      async let next = fixture.client.outcome(.unary)
      let script = try await fixture.accept()
      // The client may skip ids.
      let opening = try await script.opening()
      #expect(opening.envelope.metadata.isEmpty && opening.frame.streamID % 2 == 1)
      try await script.send(.response(opening.frame.streamID, 42))
      #expect(await next == Outcome(numbers: [42]))
    }
  }

  @Test func `a message above the size limit is not sent, and its stream goes on`() async throws {
    var configuration = ClientConfiguration()
    configuration.limits.wire = WireLimits(maximumMessageSize: 64)
    try await Fixture.with(configuration) { fixture in
      async let answer: Number = fixture.client.clientStreaming(CallShape.clientStreaming.method) {
        (requests: RequestWriter<Blob>) in
        let error = await #expect(throws: RPCError.self) {
          try await requests.write(Blob(data: [UInt8](repeating: 7, count: 63)))
        }
        #expect(error?.code == .resourceExhausted)
        try await requests.write(Blob(data: [UInt8](repeating: 7, count: 62)))
      }
      let script = try await fixture.accept()
      let longest = Proto.bytes(1, [UInt8](repeating: 7, count: 62))
      try await script.expect(.request(1, "Sum", flags: 0x06), Frame(3, 1, longest), .end(1))
      try await script.send(.response(1, 1))
      #expect(try await answer.value == 1)
    }
  }
}
