import NIOConcurrencyHelpers
import ProtobufC
import TestSupport
import Testing

@testable import TTRPC

/// Calls with serialized messages, tested against a ``Server``.
@Suite(.timeLimit(.minutes(15))) struct SerializedCallTests {
  private struct RequestError: Error {}
  private struct ClosureError: Error {}

  private static func method(_ name: String, _ shape: CallShape) -> MethodDescriptor {
    MethodDescriptor(service: "p", name: name, shape: shape)
  }

  private static func request(_ number: Int64) -> [UInt8] {
    WireDuration(seconds: number).serialized()
  }

  private static func requests(_ numbers: [Int64]) -> AsyncStream<[UInt8]> {
    AsyncStream { stream in
      for number in numbers { stream.yield(request(number)) }
      stream.finish()
    }
  }

  private static let calls:
    [(name: String, shape: CallShape, requests: [Int64], responses: [Int64])] = [
      ("Echo", .unary, [41], [42]),
      ("Echo", .unary, [], [1]),
      ("Many", .serverStreaming, [3], [1, 2, 3]),
      ("Sum", .clientStreaming, [5, 6, 7], [3]),
      ("Sum", .clientStreaming, [], [0]),
      ("Bidi", .bidirectional, [1, 2], [2, 3]),
      ("Bidi", .bidirectional, [], []),
    ]

  @Test(arguments: calls)
  func `a call of each shape sends its requests and returns the responses`(
    _ call: (name: String, shape: CallShape, requests: [Int64], responses: [Int64])
  ) async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      var responses: [Int64] = []
      try await client.call(
        Self.method(call.name, call.shape), serialized: Self.requests(call.requests)
      ) { responses.append(try WireDuration(serialized: $0).seconds) }
      #expect(responses == call.responses)
    }
  }

  @Test func `responses arrive while the requests are still open`() async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      let (requests, source) = AsyncStream<[UInt8]>.makeStream()
      source.yield(Self.request(1))
      var responses: [Int64] = []
      try await client.call(Self.method("Bidi", .bidirectional), serialized: requests) {
        responses.append(try WireDuration(serialized: $0).seconds)
        if responses.count < 3 {
          source.yield($0)
        } else {
          source.finish()
        }
      }
      #expect(responses == [2, 3, 4])
    }
  }

  @Test func `a call that the server ends does not wait for more requests`() async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      let (requests, source) = AsyncStream<[UInt8]>.makeStream()
      let error = await #expect(throws: RPCError.self) {
        try await client.call(Self.method("Nope", .bidirectional), serialized: requests) { _ in }
      }
      #expect(error?.code == .unimplemented)
      source.finish()
    }
  }

  @Test(arguments: [("Sum", CallShape.clientStreaming), ("Bidi", .bidirectional)])
  func `the timeout ends a call whose requests are still open`(
    _ name: String, _ shape: CallShape
  ) async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      let (requests, source) = AsyncStream<[UInt8]>.makeStream()
      let error = await #expect(throws: RPCError.self) {
        try await client.call(
          Self.method(name, shape), serialized: requests,
          options: CallOptions(timeout: .milliseconds(50))
        ) { _ in }
      }
      #expect(error?.code == .deadlineExceeded)
      source.finish()
    }
  }

  @Test func `a single request that comes after the timeout is not sent`() async throws {
    let service = TestService()
    try await withServer(service: service) { path, _ in
      let client = Client(path: path)
      // The closure runs when the call reads the sequence.
      let requests = AsyncStream<[UInt8]> {
        try? await Task.sleep(for: .milliseconds(100))
        return Self.request(1)
      }
      let error = await #expect(throws: RPCError.self) {
        try await client.call(
          Self.method("Note", .unary), serialized: requests,
          options: CallOptions(timeout: .milliseconds(50))
        ) { _ in }
      }
      #expect(error?.code == .deadlineExceeded)
      let _: WireDuration = try await client.unary(
        Self.method("Note", .unary), WireDuration(seconds: 2))
      #expect(service.notes.withLockedValue { $0 } == [2])
    }
  }

  @Test func `an error of the requests ends the call`() async throws {
    let service = TestService()
    try await withServer(service: service) { path, _ in
      let client = Client(path: path)
      let requests = AsyncThrowingStream<[UInt8], any Error> { stream in
        stream.yield(Self.request(1))
        stream.finish(throwing: RequestError())
      }
      await #expect(throws: RequestError.self) {
        try await client.call(Self.method("Stall", .bidirectional), serialized: requests) { _ in }
      }
      try await service.cancelled.wait()
    }
  }

  @Test func `an error of the closure ends the call`() async throws {
    try await withServer { path, server in
      let client = Client(path: path)
      var responses = 0
      await #expect(throws: ClosureError.self) {
        try await client.call(
          Self.method("Many", .serverStreaming), serialized: Self.requests([100_000])
        ) { _ in
          responses += 1
          if responses == 2 { throw ClosureError() }
        }
      }
      #expect(responses == 2)
      try await server.waitUntilIdle()
    }
  }
}
