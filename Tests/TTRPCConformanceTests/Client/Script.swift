import NIOCore
import TestSupport
import Testing

@testable import TTRPC

/// The server's end of a client connection, controlled by the test.
actor Script {
  private let peer: RawPeer
  /// All frames that the client has sent so far.
  private(set) var received: [Frame] = []

  init(_ peer: RawPeer) {
    self.peer = peer
  }

  func send(_ frames: Frame...) async throws { try await peer.send(frames.bytes) }

  func send(bytes: [UInt8]) async throws { try await peer.send(bytes) }

  /// Receives the client's next frame, or nil if the client has closed.
  func next() async throws -> Frame? {
    guard let bytes = try await peer.receiveFrame() else { return nil }
    let frame = try #require(Frame(bytes), "incomplete frame")
    received.append(frame)
    return frame
  }

  func expect(
    _ frames: Frame..., sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    for frame in frames {
      #expect(try await next() == frame, sourceLocation: sourceLocation)
    }
  }

  /// Receives the next frame, which must be a request.
  func opening(
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> (frame: Frame, envelope: Opening) {
    let frame = try #require(
      try await next(), "the client has closed", sourceLocation: sourceLocation)
    return (frame, try Opening(frame))
  }

  /// Receives the next request and answers it with a number.
  func answer(_ number: Int64) async throws {
    try await send(.response(try await opening().frame.streamID, number))
  }

  func waitUntilReadable() async throws { try await peer.waitUntilReadable() }

  /// Expects the client to close without another frame.
  func expectClosed(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    #expect(try await next() == nil, sourceLocation: sourceLocation)
  }
}

/// A client, and a listener whose connections the test controls.
struct Fixture: Sendable {
  let path: String
  let listener: RawListener
  let client: TTRPC.Client

  func accept() async throws -> Script { Script(try await listener.accept()) }

  static func with<Value>(
    _ configuration: ClientConfiguration = ClientConfiguration(),
    timers: (any EventLoop)? = nil, _ body: (Fixture) async throws -> Value
  ) async throws -> Value {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let client = TTRPC.Client(path: path, configuration: configuration, timers: timers)
      let fixture = Fixture(path: path, listener: try RawListener(path: path), client: client)
      do {
        let value = try await body(fixture)
        await client.close()
        return value
      } catch {
        await client.close()
        throw error
      }
    }
  }
}

/// The result of a call: the received numbers and the status.
struct Outcome: Equatable, Sendable {
  var numbers: [Int64] = []
  /// The status code of the error; nil on success.
  var code: StatusCode?
}

extension CallShape {
  static let all: [CallShape] = [.unary, .serverStreaming, .clientStreaming, .bidirectional]

  /// A method of this shape.
  var method: MethodDescriptor {
    let name =
      switch self {
      case .unary: "Echo"
      case .serverStreaming: "Many"
      case .clientStreaming: "Sum"
      case .bidirectional: "Bidi"
      }
    return MethodDescriptor(service: "p", name: name, shape: self)
  }
}

extension TTRPC.Client {
  /// Calls a method of the given shape with one request, and reads all responses.
  func outcome(
    _ shape: CallShape, _ number: Int64 = 41, options: CallOptions = CallOptions()
  ) async -> Outcome {
    var outcome = Outcome()
    do {
      switch shape {
      case .unary:
        let answer: Number = try await unary(
          shape.method, Number(value: number), options: options)
        outcome.numbers.append(answer.value)
      case .serverStreaming:
        try await serverStreaming(shape.method, Number(value: number), options: options) {
          (responses: MessageStream<Number>) in
          while let response = try await responses.next() {
            outcome.numbers.append(response.value)
          }
        }
      case .clientStreaming:
        let answer: Number = try await clientStreaming(shape.method, options: options) {
          (requests: RequestWriter<Number>) in try await requests.write(Number(value: number))
        }
        outcome.numbers.append(answer.value)
      case .bidirectional:
        try await bidirectional(shape.method, options: options) {
          (requests: RequestWriter<Number>, responses: MessageStream<Number>) in
          try await requests.write(Number(value: number))
          try await requests.finish()
          while let response = try await responses.next() {
            outcome.numbers.append(response.value)
          }
        }
      }
    } catch let error as RPCError {
      outcome.code = error.code
    } catch {
      Issue.record(error)
    }
    return outcome
  }
}
