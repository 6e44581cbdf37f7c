import TestSupport
import Testing

@testable import TTRPC

/// Client streams, tested against a ``Server``.
@Suite(.timeLimit(.minutes(15))) struct ClientStreamTests {
  private static let many = MethodDescriptor(service: "p", name: "Many", shape: .serverStreaming)
  private static let sum = MethodDescriptor(service: "p", name: "Sum", shape: .clientStreaming)
  private static let bidi = MethodDescriptor(service: "p", name: "Bidi", shape: .bidirectional)
  private static let stall = MethodDescriptor(service: "p", name: "Stall", shape: .bidirectional)

  private struct ClosureError: Error {}

  private static func numbers(
    _ responses: MessageStream<WireDuration>
  ) async throws -> [Int64] {
    var numbers: [Int64] = []
    for try await response in responses { numbers.append(response.seconds) }
    return numbers
  }

  @Test func `a server stream is read to its end`() async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      let numbers = try await client.serverStreaming(
        Self.many, WireDuration(seconds: 5000)
      ) { (responses: MessageStream<WireDuration>) in try await Self.numbers(responses) }
      #expect(numbers == Array(1...5000))
    }
  }

  @Test func `an error arrives after the messages that precede it`() async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      await #expect(throws: RPCError.self) {
        try await client.serverStreaming(
          Self.many, WireDuration(seconds: 2), options: CallOptions(metadata: ["end": "boom"])
        ) { (responses: MessageStream<WireDuration>) in
          #expect(try await responses.next()?.seconds == 1)
          #expect(try await responses.next()?.seconds == 2)
          _ = try await responses.next()
          Issue.record("the stream ended without an error")
        }
      }
    }
  }

  @Test func `a client stream gets one answer`() async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      let answer: WireDuration = try await client.clientStreaming(Self.sum) {
        (requests: RequestWriter<WireDuration>) in
        for number in 0..<Int64(3000) { try await requests.write(WireDuration(seconds: number)) }
      }
      #expect(answer.seconds == 3000)
    }
  }

  @Test func `both sides of a bidirectional stream work independently`() async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      let numbers = try await client.bidirectional(Self.bidi) {
        (requests: RequestWriter<WireDuration>, responses: MessageStream<WireDuration>) in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            for number in 0..<Int64(2000) {
              try await requests.write(WireDuration(seconds: number))
            }
            try await requests.finish()
          }
          let numbers = try await Self.numbers(responses)
          try await group.waitForAll()
          return numbers
        }
      }
      #expect(numbers == Array(1...2000))
    }
  }

  @Test func `an error thrown by the closure cancels the handler and reaches the caller`()
    async throws
  {
    let service = TestService()
    try await withServer(service: service) { path, server in
      let client = Client(path: path)
      await #expect(throws: ClosureError.self) {
        try await client.bidirectional(Self.stall) {
          (requests: RequestWriter<WireDuration>, _: MessageStream<WireDuration>) in
          try await requests.write(WireDuration(seconds: 1))
          throw ClosureError()
        }
      }
      try await service.cancelled.wait()
      try await server.waitUntilIdle()
    }
  }

  @Test func `a deadline ends a stream on both sides`() async throws {
    let service = TestService()
    try await ManualTime.with { time in
      try await withServer(service: service) { path, server in
        let client = Client(
          path: path, configuration: ClientConfiguration(), timers: time.eventLoop)
        let call = Task {
          try await client.bidirectional(
            Self.stall, options: CallOptions(timeout: .seconds(86_400))
          ) { (_: RequestWriter<WireDuration>, responses: MessageStream<WireDuration>) in
            _ = try await responses.next()
          }
        }
        try await server.wait(forCalls: 1)
        await time.advance(by: .seconds(86_400))
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .deadlineExceeded)
        try await service.cancelled.wait()
        await client.close()
      }
    }
  }

  @Test func `a cancelled task ends its stream`() async throws {
    let service = TestService()
    try await withServer(service: service) { path, server in
      let client = Client(path: path)
      let task = Task {
        try await client.bidirectional(Self.stall) {
          (_: RequestWriter<WireDuration>, responses: MessageStream<WireDuration>) in
          _ = try await responses.next()
        }
      }
      try await server.wait(forCalls: 1)
      task.cancel()
      let error = await #expect(throws: RPCError.self) { try await task.value }
      #expect(error?.code == .cancelled)
      try await service.cancelled.wait()
    }
  }

  @Test func `a writer receives the status of the server`() async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      let unknown = MethodDescriptor(service: "p", name: "Nothing", shape: .clientStreaming)
      let error = await #expect(throws: RPCError.self) {
        let _: WireDuration = try await client.clientStreaming(unknown) {
          (requests: RequestWriter<WireDuration>) in
          while true { try await requests.write(WireDuration()) }
        }
      }
      #expect(error?.code == .unimplemented)
    }
  }

  @Test func `a slow reader loses its own stream only`() async throws {
    try await withServer { path, server in
      var configuration = ClientConfiguration()
      configuration.limits.wire = WireLimits(maximumMessageSize: 4096)
      configuration.limits.queuedBytesPerStream = 65_536
      let client = Client(path: path, configuration: configuration)
      let error = await #expect(throws: RPCError.self) {
        try await client.serverStreaming(Self.many, WireDuration(seconds: .max)) {
          (responses: MessageStream<WireDuration>) in
          #expect(try await responses.next()?.seconds == 1)
          // The handler ends when the client cancels the stream.
          try await server.waitUntilIdle()
          let answer = try await ClientTests.call(client, "Echo", seconds: 1)
          #expect(answer.seconds == 2)
          // The reader gets the messages that were received until then, in order.
          var last: Int64 = 1
          defer { #expect(last > 100) }
          while let response = try await responses.next() {
            #expect(response.seconds == last + 1)
            last = response.seconds
          }
        }
      }
      #expect(error?.code == .resourceExhausted)
      #expect(error?.message.contains("the client does not read") == true)
    }
  }
}
