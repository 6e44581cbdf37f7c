import NIOCore
import ProtobufC
import TestSupport
import Testing

@testable import TTRPC

/// The client, tested against a server that sends bytes of the test's choice.
@Suite(.timeLimit(.minutes(15))) struct ScriptedServerTests {
  /// Makes a call while a script plays the server.
  private static func outcome(
    timeout: Duration? = nil, timers: (any EventLoop)? = nil,
    script: @escaping @Sendable (RawPeer) async throws -> Void
  ) async throws -> Result<WireDuration, RPCError> {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let listener = try RawListener(path: path)
      let server = Task { try await script(try await listener.accept()) }
      let client = Client(
        path: path, configuration: ClientConfiguration(), timers: timers)
      let options = CallOptions(timeout: timeout, metadata: ["k": "v"])
      let outcome: Result<WireDuration, RPCError>
      do throws(RPCError) {
        outcome = .success(
          try await ClientTests.call(client, "Echo", seconds: 41, options: options))
      } catch {
        outcome = .failure(error)
      }
      try await server.value
      await client.close()
      return outcome
    }
  }

  private static func code(_ outcome: Result<WireDuration, RPCError>) -> StatusCode {
    switch outcome {
    case .success: .ok
    case .failure(let error): error.code
    }
  }

  @Test func `the client sends the recorded call like containerd`() async throws {
    _ = try await Self.outcome(timeout: .seconds(86_400)) { peer in
      var frame = ByteBuffer(bytes: try #require(try await peer.receiveFrame()))
      let header = frame.readFrameHeader()
      var request = try frame.message(WireRequest.self)
      // The timeout is the remaining time; the recorded call had one second.
      #expect((80_000_000_000_000...86_400_000_000_000).contains(request.timeoutNano))
      request.timeoutNano = 1_000_000_000
      var golden = ByteBuffer(bytes: Golden.echoRequest)
      _ = golden.readFrameHeader()
      #expect(request.serialized() == Array(golden.readableBytesView))
      #expect(header?.streamID == 1 && header?.type == 1 && header?.flags == [])
      try await peer.send(Golden.echoResponse)
    }
  }

  @Test func `an answer is read however it is split`() async throws {
    for cut in 1..<Golden.echoResponse.count {
      let outcome = try await Self.outcome { peer in
        _ = try await peer.receiveFrame()
        try await peer.send(Array(Golden.echoResponse[..<cut]))
        try await peer.send(Array(Golden.echoResponse[cut...]))
      }
      #expect(try outcome.get().seconds == 42, "cut at \(cut)")
    }
  }

  @Test func `each kind of answer has its status code`() async throws {
    let cases: [(name: String, bytes: [UInt8], code: StatusCode)] = [
      ("an empty response", Golden.bytes("00000000 00000001 02 00"), .ok),
      ("an empty status", Golden.bytes("00000002 00000001 02 00 0a00"), .ok),
      ("a status of 0", Golden.bytes("00000004 00000001 02 00 0a020800"), .ok),
      ("a status", Golden.bytes("00000004 00000001 02 00 0a02080c"), .unimplemented),
      ("an unknown code", Golden.bytes("00000004 00000001 02 00 0a02084d"), .unknown),
      ("a malformed envelope", Golden.bytes("00000001 00000001 02 00 ff"), .internalError),
      ("a malformed message", Golden.bytes("00000003 00000001 02 00 1201ff"), .internalError),
      ("data on a unary call", Golden.bytes("00000000 00000001 03 00"), .internalError),
      (
        "frames of other streams and other types before the answer",
        Golden.bytes("00000000 00000063 02 00 00000000 00000001 09 00") + Golden.echoResponse, .ok
      ),
      (
        "an answer above the limit",
        Golden.bytes("00400001 00000001 02 00") + [UInt8](repeating: 0, count: 4_194_305),
        .resourceExhausted
      ),
      ("another protocol", Array("HTTP/1.1 400 Bad Request\r\n".utf8), .unavailable),
      ("nothing, then a close", [], .unavailable),
      ("half a frame, then a close", Golden.bytes("00000004 00000001 02"), .unavailable),
    ]
    for (name, bytes, code) in cases {
      let outcome = try await Self.outcome { peer in
        _ = try await peer.receiveFrame()
        // The client may disconnect before everything is sent.
        try? await peer.send(bytes)
      }
      #expect(Self.code(outcome) == code, "\(name): \(outcome)")
    }
  }

  @Test func `a deadline ends a call to a silent server with a cancel frame`() async throws {
    try await ManualTime.with { time in
      let outcome = try await Self.outcome(timeout: .seconds(86_400), timers: time.eventLoop) {
        peer in
        _ = try await peer.receiveFrame()
        await time.advance(by: .seconds(86_400))
        let cancel = try await peer.receiveFrame()
        #expect(cancel == Golden.bytes("00000000 00000001 04 00"))
      }
      #expect(Self.code(outcome) == .deadlineExceeded)
    }
  }

  @Test func `a call whose deadline has passed sends nothing`() async throws {
    try await withTemporaryFolder { folder in
      let client = Client(path: "\(folder)/nowhere")
      let error = try await ClientTests.error { () throws(RPCError) in
        try await ClientTests.call(client, "Echo", options: CallOptions(timeout: .zero))
      }
      #expect(error.code == .deadlineExceeded)
    }
  }
}
