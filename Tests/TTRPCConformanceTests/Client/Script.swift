import NIOCore
import TestSupport
import Testing

@testable import TTRPC

/// The server's end of a client's connection, which says what a test wants.
actor Script {
  private let peer: RawPeer
  /// All that the client has sent so far.
  private(set) var received: [Frame] = []

  init(_ peer: RawPeer) {
    self.peer = peer
  }

  func send(_ frames: Frame...) async throws { try await peer.send(frames.bytes) }

  func send(bytes: [UInt8]) async throws { try await peer.send(bytes) }

  /// The client's next frame; nothing where it has closed.
  func next() async throws -> Frame? {
    guard let bytes = try await peer.receiveFrame() else { return nil }
    let frame = try #require(Frame(bytes), "half a frame")
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

  /// The request that comes next.
  func opening(
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> (frame: Frame, envelope: Opening) {
    let frame = try #require(try await next(), "closed", sourceLocation: sourceLocation)
    return (frame, try Opening(frame))
  }

  /// Takes the next request and says what it gets, which is a number.
  func answer(_ number: Int64) async throws {
    try await send(.response(try await opening().frame.streamID, number))
  }

  func waitUntilReadable() async throws { try await peer.waitUntilReadable() }

  /// Holds that the client closes, and sends nothing before.
  func expectClosed(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    #expect(try await next() == nil, sourceLocation: sourceLocation)
  }
}

/// A listener whose connections are scripted, and a client of it.
struct Stage: Sendable {
  let path: String
  let listener: RawListener
  let client: TTRPC.Client

  func accept() async throws -> Script { Script(try await listener.accept()) }

  static func with<Value>(
    _ configuration: ClientConfiguration = ClientConfiguration(),
    timers: (any EventLoop)? = nil, _ body: (Stage) async throws -> Value
  ) async throws -> Value {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let client = TTRPC.Client(path: path, configuration: configuration, timers: timers)
      let stage = Stage(path: path, listener: try RawListener(path: path), client: client)
      do {
        let value = try await body(stage)
        await client.close()
        return value
      } catch {
        await client.close()
        throw error
      }
    }
  }
}

/// What a call came to: the numbers that were delivered, and its status.
struct Outcome: Equatable, Sendable {
  var numbers: [Int64] = []
  /// Nothing where it went well.
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
  /// Calls a method of a shape with one request, and reads all there is.
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
