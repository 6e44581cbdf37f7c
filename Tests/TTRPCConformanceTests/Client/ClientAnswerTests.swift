import TTRPC
import TestSupport
import Testing

/// The outcome of a call for each kind of answer on stream 1.
@Suite(.timeLimit(.minutes(15))) struct ClientAnswerTests {
  struct Reply: Sendable, CustomTestStringConvertible {
    var shapes: [CallShape]
    var name: String
    var bytes: [UInt8]
    var outcome: Outcome
    /// True if the client sends a Cancel frame.
    var isCancelled = false

    init(
      _ shapes: [CallShape], _ name: String, _ frames: [Frame], _ numbers: [Int64] = [],
      _ code: StatusCode? = nil, isCancelled: Bool = false
    ) {
      self.init(shapes, name, bytes: frames.bytes, numbers, code, isCancelled: isCancelled)
    }

    init(
      _ shapes: [CallShape], _ name: String, bytes: [UInt8], _ numbers: [Int64] = [],
      _ code: StatusCode? = nil, isCancelled: Bool = false
    ) {
      self.shapes = shapes
      self.name = name
      self.bytes = bytes
      self.outcome = Outcome(numbers: numbers, code: code)
      self.isCancelled = isCancelled
    }

    var testDescription: String { name }
  }

  private static let singleResponse: [CallShape] = [.unary, .clientStreaming]
  private static let streamed: [CallShape] = [.serverStreaming, .bidirectional]

  private static let repliesOfAllShapes: [Reply] = [
    Reply(CallShape.all, "a status", [.status(1, 5)], [], .notFound),
    Reply(
      CallShape.all, "a status and a payload", [Frame(2, 1, [0x0a, 2, 8, 5, 0x12, 2, 8, 1])], [],
      .notFound),
    Reply(CallShape.all, "an unknown code", [.status(1, 77)], [], .unknown),
    Reply(CallShape.all, "a negative code", [.status(1, -1)], [], .unknown),
    Reply(CallShape.all, "a malformed envelope", [Frame(2, 1, [0xff])], [], .internalError),
    Reply(
      CallShape.all, "unknown flags", [Frame(2, 1, flags: 0xff, [0x0a, 2, 8, 5])], [],
      .notFound),
    Reply(
      CallShape.all, "frames of other streams and types, and then a status",
      [
        .response(99, 1), .response(0, 1), .response(2, 1), .data(3, 1), .end(5), Frame(9, 1, [1]),
        Frame(1, 1), Frame(4, 1), .status(1, 5),
      ], [], .notFound),
    Reply(
      CallShape.all, "a status, and more frames after it",
      [.status(1, 5), .response(1, 1), .data(1, 1), .end(1)],
      [], .notFound),
    Reply(
      CallShape.all, "an answer above the limit",
      bytes: Frame.header(2, 1, length: 4_194_305) + [UInt8](repeating: 0, count: 4_194_305), [],
      .resourceExhausted),
    Reply(
      CallShape.all, "a message above the limit",
      bytes: Frame.header(3, 1, length: 4_194_305) + [UInt8](repeating: 0, count: 4_194_305), [],
      .resourceExhausted, isCancelled: true),
  ]

  private static let singleReplies: [Reply] = [
    Reply(singleResponse, "an answer", [.response(1, 42)], [42]),
    Reply(singleResponse, "an empty answer", [Frame(2, 1)], [0]),
    Reply(singleResponse, "an empty status", [Frame(2, 1, [0x0a, 0, 0x12, 2, 8, 42])], [42]),
    Reply(
      singleResponse, "a status of zero", [Frame(2, 1, [0x0a, 2, 8, 0, 0x12, 2, 8, 42])], [42]),
    Reply(singleResponse, "two answers", [.response(1, 42), .response(1, 43)], [42]),
    Reply(
      singleResponse, "a malformed answer", [Frame(2, 1, [0x12, 1, 0xff])], [], .internalError),
    Reply(singleResponse, "a message", [.data(1, 1)], [], .internalError, isCancelled: true),
    Reply(
      singleResponse, "a message, and an answer", [.data(1, 1), .response(1, 42)], [],
      .internalError,
      isCancelled: true),
  ]

  private static let streamedReplies: [Reply] = [
    Reply(streamed, "an end", [.end(1)]),
    Reply(streamed, "messages and an end", [.data(1, 1), .data(1, 2), .end(1)], [1, 2]),
    Reply(streamed, "an empty message", [Frame(3, 1), .end(1)], [0]),
    Reply(
      streamed, "a frame without data or end",
      [Frame(3, 1, flags: 0x04), .data(1, 1), .end(1)], [1]),
    Reply(
      streamed, "a message with the end", [.data(1, 1), .data(1, 2, flags: 0x01)], [1, 2]),
    Reply(streamed, "an empty message with the end", [Frame(3, 1, flags: 0x01)], [0]),
    Reply(streamed, "an answer instead of an end", [.data(1, 1), Frame(2, 1)], [1]),
    Reply(
      streamed, "an answer with a payload instead of an end",
      [.data(1, 1), .response(1, 9)], [1]),
    Reply(
      streamed, "messages and a status", [.data(1, 1), .status(1, 2, "boom")], [1],
      .unknown),
    Reply(
      streamed, "an end, and an answer after it", [.data(1, 1), .end(1), Frame(2, 1)], [1]),
    Reply(
      streamed, "an end, and messages after it",
      [.end(1), .data(1, 1), .end(1), .status(1, 5)]),
    Reply(
      streamed, "a malformed message", [.data(1, 1), Frame(3, 1, [0xff])], [1],
      .internalError,
      isCancelled: true),
    Reply(streamed, "unknown flags", [.data(1, 1, flags: 0xf8), .end(1)], [1]),
  ]

  @Test(arguments: repliesOfAllShapes + singleReplies + streamedReplies)
  func `each kind of answer has its outcome, and the connection survives`(reply: Reply) async throws
  {
    for shape in reply.shapes {
      try await Fixture.with { fixture in
        async let outcome = fixture.client.outcome(shape)
        let script = try await fixture.accept()
        _ = try await script.opening()
        if shape.streamsRequests { try await script.expect(.data(1, 41), .end(1)) }
        try await script.send(bytes: reply.bytes)
        #expect(await outcome == reply.outcome, "\(shape)")
        if reply.isCancelled { try await script.expect(.cancel(1)) }
        async let next = fixture.client.outcome(.unary)
        let request = try await script.opening().frame
        #expect(request.streamID == 3)
        try await script.send(.response(3, 7))
        #expect(await next == Outcome(numbers: [7]))
      }
    }
  }

  /// The last bytes that a server sends before the connection is lost.
  private static let losses: [(name: String, bytes: [UInt8])] = [
    ("nothing", []), ("half a header", [0, 0, 0]),
    ("half an answer", Frame.response(1, 1).bytes.dropLast()),
    ("part of an oversize frame", Frame.header(3, 9, length: 5_000_000) + [0]),
    ("another protocol", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)),
  ]

  @Test(arguments: CallShape.all)
  func `a lost connection ends its calls, and the client reconnects`(shape: CallShape) async throws
  {
    for loss in Self.losses {
      try await Fixture.with { fixture in
        let calls = Task {
          async let first = fixture.client.outcome(shape)
          async let second = fixture.client.outcome(shape)
          return await [first, second]
        }
        var script: Script? = try await fixture.accept()
        for _ in 0..<(shape.streamsRequests ? 6 : 2) { _ = try await script?.next() }
        try await script?.send(bytes: loss.bytes)
        // Foreign bytes make the client close; in the other cases, the test closes.
        if loss.name == "another protocol" { try await script?.expectClosed() }
        script = nil
        #expect(await calls.value.map(\.code) == [.unavailable, .unavailable], "\(loss.name)")
        async let next = fixture.client.outcome(.unary)
        script = try await fixture.accept()
        let request = try await script?.opening().frame
        #expect(request?.streamID == 1)
        try await script?.send(.response(1, 7))
        #expect(await next == Outcome(numbers: [7]))
      }
    }
  }

  @Test(arguments: CallShape.all)
  func `an answer is read however it is split`(shape: CallShape) async throws {
    let bytes =
      shape.streamsResponses
      ? [Frame.data(1, 300), Frame(3, 1), .end(1)].bytes : Frame.response(1, 300).bytes
    for cut in 1..<bytes.count {
      try await Fixture.with { fixture in
        async let outcome = fixture.client.outcome(shape)
        let peer = try await fixture.listener.accept()
        for _ in 0..<(shape.streamsRequests ? 3 : 1) { _ = try await peer.receiveFrame() }
        try await peer.send(Array(bytes[..<cut]))
        try await peer.waitUntilRead()
        try await peer.send(Array(bytes[cut...]))
        #expect(
          await outcome == Outcome(numbers: shape.streamsResponses ? [300, 0] : [300]),
          "cut at \(cut)")
      }
    }
  }

  @Test func `a status carries its message and details`() async throws {
    try await Fixture.with { fixture in
      let call = Task { () throws(RPCError) -> Number in
        try await fixture.client.unary(CallShape.unary.method, Number())
      }
      let script = try await fixture.accept()
      _ = try await script.opening()
      let retry = Proto.text(1, "type.googleapis.com/google.rpc.RetryInfo")
      let delay = Proto.message(1, Proto.integer(1, 1) + Proto.integer(2, 500_000_000))
      let cause = Proto.text(1, "type.googleapis.com/google.rpc.ErrorInfo")
      let info = Proto.text(1, "FULL") + Proto.text(2, "disk")
      let other = Proto.text(1, "type.example/p.Why") + Proto.bytes(2, [1])
      let status =
        Proto.integer(1, 9) + Proto.text(2, "no") + Proto.message(3, retry + Proto.bytes(2, delay))
        + Proto.message(3, cause + Proto.bytes(2, info)) + Proto.message(3, other)
      try await script.send(Frame(2, 1, Proto.message(1, status)))
      let error = await #expect(throws: RPCError.self) { try await call.value }
      #expect(error?.code == .failedPrecondition)
      #expect(error?.message == "no")
      #expect(
        error?.details == [
          .retryInfo(after: .milliseconds(1500)), .errorInfo(reason: "FULL", domain: "disk"),
          .other(typeURL: "type.example/p.Why", value: [1]),
        ])
    }
  }

  @Test func `a slow reader loses its own stream only`() async throws {
    var configuration = ClientConfiguration()
    configuration.limits.wire = WireLimits(maximumMessageSize: 65_536)
    configuration.limits.queuedBytesPerStream = 200_000
    try await Fixture.with(configuration) { fixture in
      let cancelReceived = Flag()
      let slow = Task {
        try await fixture.client.serverStreaming(
          MethodDescriptor(service: "p", name: "Many", shape: .serverStreaming), Number()
        ) { (responses: MessageStream<Blob>) in
          try await cancelReceived.wait()
          while try await responses.next() != nil {}
        }
      }
      let script = try await fixture.accept()
      _ = try await script.opening()
      for _ in 0..<5 {
        try await script.send(Frame(3, 1, Proto.bytes(1, [UInt8](repeating: 7, count: 50_000))))
      }
      try await script.expect(.cancel(1))
      async let other = fixture.client.outcome(.unary)
      _ = try await script.opening()
      try await script.send(.response(3, 7))
      #expect(await other == Outcome(numbers: [7]))
      cancelReceived.set()
      let error = await #expect(throws: RPCError.self) { try await slow.value }
      #expect(error?.code == .resourceExhausted)
    }
  }
}
