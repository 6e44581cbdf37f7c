import NIOCore
import ProtobufC
import TestSupport
import Testing

@testable import TTRPC

/// The server, tested byte by byte from the peer's side.
@Suite(.timeLimit(.minutes(15))) struct ServerTests {
  private static func frame(
    _ streamID: UInt32, _ method: String, seconds: Int64 = 0, service: String = "p",
    timeout: Duration? = nil
  ) -> [UInt8] {
    let request = WireRequest(
      service: service, method: method, payload: WireDuration(seconds: seconds).serialized(),
      timeout: timeout, metadata: Metadata())
    var buffer = ByteBuffer()
    _ = buffer.writeFrame(streamID: streamID, type: .request, message: request, limit: .max)
    return Array(buffer.readableBytesView)
  }

  /// The stream and the outcome that a response frame carries.
  private static func response(
    _ frame: [UInt8]?
  ) throws -> (streamID: UInt32, outcome: Result<[UInt8], RPCError>) {
    var buffer = ByteBuffer(bytes: try #require(frame))
    let read = buffer.readFrameHeader()
    let header = try #require(read)
    try #require(header.type == FrameType.response.rawValue)
    return (header.streamID, try buffer.message(WireResponse.self).outcome)
  }

  private static func code(_ frame: [UInt8]?) throws -> StatusCode {
    switch try response(frame).outcome {
    case .success: .ok
    case .failure(let error): error.code
    }
  }

  @Test func `the server answers the recorded call like containerd, however it is split`()
    async throws
  {
    try await withServer { path, _ in
      for cut in 1..<Golden.echoRequest.count {
        let peer = try RawPeer(path: path)
        try await peer.send(Array(Golden.echoRequest[..<cut]))
        try await peer.send(Array(Golden.echoRequest[cut...]))
        let answer = try await peer.receiveFrame()
        #expect(answer == Golden.echoResponse, "cut at \(cut)")
      }
    }
  }

  @Test func `the server answers unknown names like containerd`() async throws {
    try await withServer { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.frame(5, "Echo", service: "nope"))
      #expect(try await peer.receiveFrame() == Golden.unknownService)
      try await peer.send(Self.frame(7, "nope"))
      #expect(try await peer.receiveFrame() == Golden.unknownMethod)
    }
  }

  @Test func `answers arrive as soon as they are ready, each on its own stream`() async throws {
    let service = TestService()
    try await withServer(service: service) { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.frame(1, "Hold") + Self.frame(3, "Echo", seconds: 9))
      let first = try Self.response(try await peer.receiveFrame())
      service.released.set()
      let second = try Self.response(try await peer.receiveFrame())
      #expect([first.streamID, second.streamID] == [3, 1])
    }
  }

  /// The mistakes that a peer can make, and the status that each one gets.
  private static let mistakes: [(name: String, bytes: [UInt8], code: StatusCode)] = [
    ("an unknown service", frame(5, "Echo", service: "nope"), .unimplemented),
    ("an unknown method", frame(5, "nope"), .unimplemented),
    ("an even id", frame(4, "Echo"), .invalidArgument),
    ("id zero", frame(0, "Echo"), .invalidArgument),
    ("a repeated id", frame(3, "Echo"), .invalidArgument),
    ("a malformed envelope", Golden.bytes("00000003 00000005 01 00 0affff"), .invalidArgument),
    (
      "a name that is not UTF-8", Golden.bytes("00000003 00000005 01 00 0a01ff"), .invalidArgument
    ),
    (
      "a malformed payload",
      Golden.bytes("0000000e 00000005 01 00 0a0170 12044563686f 1a03 ffffff"),
      .internalError
    ),
    (
      "a request of 4 194 305 bytes",
      Golden.bytes("00400001 00000005 01 00") + [UInt8](repeating: 0, count: 4_194_305),
      .resourceExhausted
    ),
    ("data for an unopened stream", Golden.bytes("00000001 00000063 03 00 00"), .invalidArgument),
    ("a timeout that has passed", frame(5, "Echo", timeout: .zero), .deadlineExceeded),
    ("an error without a status", frame(5, "Fail"), .unknown),
    ("an answer above the limit", frame(5, "Large", seconds: 4_194_305), .resourceExhausted),
  ]

  @Test(arguments: mistakes.indices)
  func `a mistake gets its status, however it is split, and the connection survives`(index: Int)
    async throws
  {
    let (name, bytes, code) = Self.mistakes[index]
    try await withServer { path, server in
      for cut in 1..<min(bytes.count, 64) {
        let peer = try RawPeer(path: path)
        try await peer.send(Self.frame(3, "Echo"))
        #expect(try Self.code(try await peer.receiveFrame()) == .ok)
        try await peer.send(Array(bytes[..<cut]))
        try await peer.send(Array(bytes[cut...]))
        #expect(try Self.code(try await peer.receiveFrame()) == code, "\(name), cut at \(cut)")
        try await peer.send(Self.frame(99, "Echo"))
        #expect(try Self.code(try await peer.receiveFrame()) == .ok)
      }
      try await server.waitUntilIdle()
    }
  }

  @Test func `a request of exactly the size limit is accepted`() async throws {
    try await withServer { path, _ in
      // An unknown field pads the envelope to 4 194 304 bytes.
      let envelope = Golden.bytes("0a0170 12044563686f")
      let filler = 4_194_304 - envelope.count - 5
      let bytes =
        Golden.bytes("00400000 00000001 01 00") + envelope + [0x7a]
        + [0x80 | UInt8(filler & 0x7f), 0x80 | UInt8(filler >> 7 & 0x7f)]
        + [0x80 | UInt8(filler >> 14 & 0x7f), UInt8(filler >> 21)]
        + [UInt8](repeating: 0, count: filler)
      let peer = try RawPeer(path: path)
      try await peer.send(bytes)
      #expect(try Self.code(try await peer.receiveFrame()) == .ok)
    }
  }

  @Test func `the text of an error without a status is not sent to the caller`() async throws {
    try await withServer { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.frame(1, "Fail"))
      let answer = try await peer.receiveFrame()
      guard case .failure(let error) = try Self.response(answer).outcome else {
        Issue.record("the call succeeded")
        return
      }
      #expect(!error.message.contains("password"))
    }
  }

  /// The answer is larger than the socket buffer, and the peer reads it late.
  @Test(arguments: [false, true])
  func `the last answer is sent completely before the connection closes`(drains: Bool) async throws
  {
    let service = TestService()
    try await withServer(service: service) { path, server in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.frame(1, "Large", seconds: 4_000_000))
      if !drains { peer.finishSending() }
      try await eventually("the answer waits to be read") { server.load.bytesQueued > 0 }
      if drains { server.drain() }
      let frame = try #require(try await peer.receiveFrame())
      #expect(try Self.code(frame) == .ok)
      #expect(frame.count > 4_000_000)
      #expect(try await peer.isClosed())
    }
  }

  @Test func `garbage closes its own connection only`() async throws {
    try await withServer { path, _ in
      let good = try RawPeer(path: path)
      for garbage in ["GET / HTTP/1.1\r\n\r\n", "\u{7f}\u{0}\u{0}", "hello"] {
        let bad = try RawPeer(path: path)
        try await bad.send(Array(garbage.utf8))
        #expect(try await bad.isClosed(), "\(garbage)")
      }
      try await good.send(Golden.echoRequest)
      #expect(try await good.receiveFrame() == Golden.echoResponse)
    }
  }

  @Test func `an answer above the size limit fails its own call only`() async throws {
    try await withServer { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.frame(1, "Large", seconds: 4_194_305) + Self.frame(3, "Echo"))
      let frames = [try await peer.receiveFrame(), try await peer.receiveFrame()]
      var codes: [UInt32: StatusCode] = [:]
      for frame in frames { codes[try Self.response(frame).streamID] = try Self.code(frame) }
      #expect(codes == [1: .resourceExhausted, 3: .ok])
    }
  }

  @Test func `data on a running unary call cancels it with a status`() async throws {
    let service = TestService()
    try await withServer(service: service) { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(
        Self.frame(1, "Wait", seconds: 60_000) + Golden.bytes("00000001 00000001 03 00 08"))
      #expect(try Self.code(try await peer.receiveFrame()) == .invalidArgument)
      try await service.cancelled.wait()
    }
  }

  @Test func `the server enforces the deadline of a call`() async throws {
    let service = TestService()
    try await withServer(service: service) { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.frame(1, "Wait", seconds: 60_000, timeout: .milliseconds(50)))
      #expect(try Self.code(try await peer.receiveFrame()) == .deadlineExceeded)
      try await service.cancelled.wait()
    }
  }

  @Test func `a later deadline does not replace an earlier one`() async throws {
    try await withServer { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.frame(1, "Hurry"))
      #expect(try Self.code(try await peer.receiveFrame()) == .deadlineExceeded)
    }
  }

  @Test(arguments: [Duration.seconds(Int64.max / 1_000_000_000), .seconds(Int64.max)])
  func `a call with a timeout of centuries succeeds`(timeout: Duration) async throws {
    try await withServer { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.frame(1, "Echo", timeout: timeout))
      #expect(try Self.code(try await peer.receiveFrame()) == .ok)
    }
  }

  @Test func `a cancel frame and a disconnect cancel the handler`() async throws {
    for ends in ["cancel", "disconnect"] {
      let service = TestService()
      try await withServer(service: service) { path, server in
        var peer: RawPeer? = try RawPeer(path: path)
        try await peer?.send(Self.frame(1, "Wait", seconds: 60_000))
        if ends == "cancel" {
          try await peer?.send(Golden.bytes("00000000 00000001 04 00"))
        } else {
          peer = nil
        }
        try await service.cancelled.wait()
        if let peer { #expect(try Self.code(try await peer.receiveFrame()) == .cancelled) }
        try await server.waitUntilIdle()
      }
    }
  }

  @Test func `a half-closed client receives its answer`() async throws {
    let service = TestService()
    try await withServer(service: service) { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.frame(1, "Hold"))
      peer.finishSending()
      service.released.set()
      #expect(try Self.code(try await peer.receiveFrame()) == .ok)
      #expect(try await peer.isClosed())
    }
  }

  @Test func `calls above a limit are refused with a status`() async throws {
    var limits = ServerLimits.patient
    limits.callsPerConnection = 2
    limits.calls = 3
    let service = TestService()
    try await withServer(limits: limits, service: service) { [limits] path, _ in
      defer { service.released.set() }
      let first = try RawPeer(path: path)
      for streamID: UInt32 in [1, 3, 5] {
        try await first.send(Self.frame(streamID, "Hold"))
      }
      #expect(try Self.code(try await first.receiveFrame()) == .resourceExhausted)
      let second = try RawPeer(path: path)
      for streamID: UInt32 in [1, 3] {
        try await second.send(Self.frame(streamID, "Hold"))
      }
      let refused = try Self.response(try await second.receiveFrame())
      guard case .failure(let error) = refused.outcome else {
        Issue.record("a call above the limit of \(limits.calls) succeeded")
        return
      }
      #expect(error.code == .resourceExhausted)
      #expect(error.retryDelay != nil)
    }
  }

  @Test func `requests in flight are limited in bytes`() async throws {
    var limits = ServerLimits.patient
    limits.queuedBytesPerConnection = 100_000
    let service = TestService()
    try await withServer(limits: limits, service: service) { path, server in
      let peer = try RawPeer(path: path)
      // The envelope of `Hold`, padded with an unknown field of 60 000 bytes.
      func request(_ streamID: UInt8) -> [UInt8] {
        let envelope = Golden.bytes("0a0170 1204486f6c64 7a e0d403")
        let length = envelope.count + 60_000
        return [0, UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255)]
          + [0, 0, 0, streamID, 1, 0] + envelope + [UInt8](repeating: 0, count: 60_000)
      }
      try await peer.send(request(1) + request(3))
      #expect(try Self.code(try await peer.receiveFrame()) == .resourceExhausted)
      service.released.set()
      #expect(try Self.code(try await peer.receiveFrame()) == .ok)
      try await peer.send(request(5))
      #expect(try Self.code(try await peer.receiveFrame()) == .ok)
      try await server.waitUntilIdle()
    }
  }

  @Test func `connections above the limit are closed`() async throws {
    var limits = ServerLimits.patient
    limits.connections = 1
    limits.reservedConnections = 0
    try await withServer(limits: limits) { path, _ in
      var first: RawPeer? = try RawPeer(path: path)
      try await first?.send(Golden.echoRequest)
      #expect(try await first?.receiveFrame() == Golden.echoResponse)
      #expect(try await RawPeer(path: path).isClosed())
      first = nil
      // The server notices the disconnect some time later.
      try await eventually("the slot is free again") {
        let next = try RawPeer(path: path)
        try? await next.send(Golden.echoRequest)
        return try await next.receiveFrame() == Golden.echoResponse
      }
    }
  }

  @Test func `a drain answers running calls and refuses new ones`() async throws {
    let service = TestService()
    try await withServer(service: service) { path, server in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.frame(1, "Hold"))
      try await server.wait(forCalls: 1)
      server.drain()
      // The connection notices the drain some time later.
      var streamID: UInt32 = 1
      var code = StatusCode.ok
      while code == .ok {
        streamID += 2
        try await peer.send(Self.frame(streamID, "Echo"))
        let answer = try await peer.receiveFrame()
        #expect(try Self.response(answer).streamID == streamID)
        code = try Self.code(answer)
      }
      #expect(code == .unavailable)
      service.released.set()
      let last = try await peer.receiveFrame()
      #expect(try Self.response(last).streamID == 1)
      #expect(try Self.code(last) == .ok)
      #expect(try await peer.isClosed())
      #expect(throws: RawPeer.Failure.self) { try RawPeer(path: path) }
    }
  }
}
