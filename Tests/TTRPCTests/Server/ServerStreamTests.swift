import NIOConcurrencyHelpers
import NIOCore
import ProtobufC
import TestSupport
import Testing

@testable import TTRPC

/// Server streams, tested byte by byte from the peer's side.
@Suite(.timeLimit(.minutes(15))) struct ServerStreamTests {
  private static func open(
    _ streamID: UInt32, _ method: String, seconds: Int64? = nil, flags: FrameFlags = .remoteOpen,
    timeout: Duration? = nil, metadata: Metadata = Metadata()
  ) -> [UInt8] {
    let request = WireRequest(
      service: "p", method: method,
      payload: seconds.map { WireDuration(seconds: $0).serialized() } ?? [], timeout: timeout,
      metadata: metadata)
    var buffer = ByteBuffer()
    _ = buffer.writeFrame(
      streamID: streamID, type: .request, flags: flags, message: request, limit: .max)
    return Array(buffer.readableBytesView)
  }

  private static func message(_ streamID: UInt32, byteCount: Int) -> [UInt8] {
    var buffer = ByteBuffer()
    _ = buffer.writeFrame(
      streamID: streamID, type: .data,
      message: WireStatus(message: String(repeating: "x", count: byteCount)), limit: .max)
    return Array(buffer.readableBytesView)
  }

  /// The status code of a stream's response frame.
  private static func code(_ frame: [UInt8]?, _ streamID: UInt32) throws -> StatusCode {
    var buffer = ByteBuffer(bytes: try #require(frame))
    let read = buffer.readFrameHeader()
    let header = try #require(read)
    try #require(header.type == FrameType.response.rawValue && header.streamID == streamID)
    switch try buffer.message(WireResponse.self).outcome {
    case .success: return .ok
    case .failure(let error): return error.code
    }
  }

  @Test func `the server answers the recorded server stream like containerd`() async throws {
    try await withServer { path, _ in
      let golden = Golden.serverStream
      let peer = try RawPeer(path: path)
      try await peer.send(golden.request)
      #expect(try await peer.receiveFrame() == golden.message)
      #expect(try await peer.receiveFrame() == golden.end)
    }
  }

  @Test func `the server answers the recorded bidirectional stream like containerd`() async throws {
    try await withServer { path, _ in
      let golden = Golden.bidirectional
      let peer = try RawPeer(path: path)
      try await peer.send(golden.request)
      try await peer.send(golden.message)
      #expect(try await peer.receiveFrame() == golden.answer)
      try await peer.send(golden.end)
      #expect(try await peer.receiveFrame() == golden.end)
    }
  }

  @Test func `the server answers the recorded client stream like containerd, however it is split`()
    async throws
  {
    let golden = Golden.clientStream
    let bytes = golden.request + golden.message + golden.end
    try await withServer { path, _ in
      for cut in 1..<bytes.count {
        let peer = try RawPeer(path: path)
        try await peer.send(Array(bytes[..<cut]))
        try await peer.send(Array(bytes[cut...]))
        let answer = try await peer.receiveFrame()
        #expect(answer == golden.answer, "cut at \(cut)")
      }
    }
  }

  @Test func `a stream that fails after a message ends with the status of the error`() async throws
  {
    try await withServer { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.open(15, "Many", flags: .remoteClosed, metadata: ["end": "boom"]))
      #expect(try await peer.receiveFrame() == Golden.brokenStream.message)
      #expect(try await peer.receiveFrame() == Golden.brokenStream.status)
    }
  }

  @Test func `an empty data frame is a message`() async throws {
    try await withServer { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.open(1, "Sum") + Golden.bytes("00000000 00000001 03 00"))
      try await peer.send(Golden.bytes("00000000 00000001 03 05"))
      let answer = try await peer.receiveFrame()
      #expect(answer == Golden.bytes("00000004 00000001 02 00 12020801"))
    }
  }

  @Test func `the payload of a request with the closing flag is a message`() async throws {
    try await withServer { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.open(1, "Sum", seconds: 1, flags: .remoteClosed))
      let answer = try await peer.receiveFrame()
      #expect(answer == Golden.bytes("00000004 00000001 02 00 12020801"))
    }
  }

  @Test func `a stream that ends early cancels its handler`() async throws {
    for ends in ["cancel", "deadline", "disconnect", "half close", "data after the end"] {
      let service = TestService()
      try await withServer(service: service) { path, server in
        var peer: RawPeer? = try RawPeer(path: path)
        let timeout: Duration? = ends == "deadline" ? .milliseconds(50) : nil
        try await peer?.send(Self.open(1, "Stall", timeout: timeout))
        var code: StatusCode?
        switch ends {
        case "cancel":
          try await peer?.send(Golden.bytes("00000000 00000001 04 00"))
          code = .cancelled
        case "deadline":
          code = .deadlineExceeded
        case "disconnect":
          peer = nil
        case "half close":
          peer?.finishSending()
          code = .cancelled
        default:
          try await peer?.send(
            Golden.bytes("00000000 00000001 03 05") + Self.message(1, byteCount: 1))
          code = .invalidArgument
        }
        if let code { #expect(try Self.code(try await peer?.receiveFrame(), 1) == code, "\(ends)") }
        try await service.cancelled.wait()
        try await server.waitUntilIdle()
      }
    }
  }

  @Test func `an unread stream fails at its queue limit, and other streams go on`() async throws {
    var limits = ServerLimits.patient
    limits.wire = WireLimits(maximumMessageSize: 65_536)
    limits.queuedBytesPerStream = 262_144
    limits.slowReaderTimeout = .milliseconds(100)
    let service = TestService()
    try await withServer(limits: limits, service: service) { path, server in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.open(1, "Stall") + Self.open(3, "Bidi"))
      for _ in 0..<5 { try await peer.send(Self.message(1, byteCount: 60_000)) }
      #expect(try Self.code(try await peer.receiveFrame(), 1) == .resourceExhausted)
      try await service.cancelled.wait()
      // The other stream and the connection go on.
      try await peer.send(Golden.bytes("00000002 00000003 03 00 0829"))
      let answer = try await peer.receiveFrame()
      #expect(answer == Golden.bytes("00000002 00000003 03 00 082a"))
      #expect(server.load.callsInFlight == 1)
    }
  }

  @Test func `at the queue limit of a connection, the stream with the longest queue fails`()
    async throws
  {
    var limits = ServerLimits.patient
    limits.wire = WireLimits(maximumMessageSize: 65_536)
    limits.queuedBytesPerStream = 1_000_000
    limits.queuedBytesPerConnection = 300_000
    limits.slowReaderTimeout = .milliseconds(100)
    let service = TestService()
    try await withServer(limits: limits, service: service) { path, _ in
      defer { service.released.set() }
      let peer = try RawPeer(path: path)
      try await peer.send(Self.open(1, "Stall") + Self.open(3, "Stall"))
      for _ in 0..<4 { try await peer.send(Self.message(1, byteCount: 60_000)) }
      for _ in 0..<2 { try await peer.send(Self.message(3, byteCount: 40_000)) }
      #expect(try Self.code(try await peer.receiveFrame(), 1) == .resourceExhausted)
      service.released.set()
      let echo = try await peer.receiveFrame()
      // Compared outside `#expect`, which would print all bytes.
      let isWhole = echo == Self.message(3, byteCount: 40_000)
      #expect(isWhole)
    }
  }

  @Test func `a peer that does not read stalls its own stream only`() async throws {
    var limits = ServerLimits.patient
    limits.writeTimeout = .milliseconds(300)
    try await withServer(limits: limits) { path, server in
      let stalledPeer = try RawPeer(path: path)
      try await stalledPeer.send(Self.open(1, "Blob", seconds: 4_000_000, flags: .remoteClosed))
      let good = try RawPeer(path: path)
      try await good.send(Golden.echoRequest)
      #expect(try await good.receiveFrame() == Golden.echoResponse)
      // The handler waits at its second message until the connection is closed.
      try await server.waitUntilIdle()
    }
  }

  @Test func `at the output limit of a connection, the stream with the most output fails`()
    async throws
  {
    var limits = ServerLimits.patient
    limits.queuedBytesPerConnection = 4_500_000
    let endCounter = EndCounter()
    try await withServer(limits: limits, interceptors: [endCounter]) { path, _ in
      let stalledPeer = try RawPeer(path: path)
      // The channel takes one message; the others are queued.
      for (streamID, size) in [(1, 2_000_000), (3, 1_000_000), (5, 2_500_000), (7, 1_000_000)] {
        try await stalledPeer.send(
          Self.open(UInt32(streamID), "Blob", seconds: Int64(size), flags: .remoteClosed))
      }
      // Reading earlier could let the queued messages through.
      try await endCounter.wait(for: 1)
      var ends: [UInt32: UInt8] = [:]
      while ends.count < 4 {
        let frame = try #require(try await stalledPeer.receiveFrame())
        if frame[8] == 2 || frame[9] == 5 { ends[UInt32(frame[7])] = frame[8] }
      }
      #expect(ends == [1: 3, 3: 3, 5: 2, 7: 3])
    }
  }

  /// An interceptor that counts ended calls.
  private struct EndCounter: ServerInterceptor {
    private let count = NIOLockedValueBox(0)

    func intercept(
      _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
    ) async throws(RPCError) {
      defer { count.withLockedValue { $0 += 1 } }
      try await next(context)
    }

    func wait(for expected: Int) async throws {
      try await eventually("\(expected) calls end") { count.withLockedValue { $0 } >= expected }
    }
  }

  @Test func `a drain ends a call marked with endAtDrain as unavailable`() async throws {
    let service = TestService()
    try await withServer(service: service) { path, server in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.open(1, "Watch", flags: .remoteClosed))
      #expect(try await peer.receiveFrame() == Golden.bytes("00000002 00000001 03 00 0801"))
      server.drain()
      #expect(try Self.code(try await peer.receiveFrame(), 1) == .unavailable)
      try await service.cancelled.wait()
      #expect(try await peer.isClosed())
    }
  }

  @Test func `a call that outlasts the drain timeout ends as unavailable`() async throws {
    var limits = ServerLimits.patient
    limits.drainTimeout = .milliseconds(100)
    let service = TestService()
    try await withServer(limits: limits, service: service) { path, server in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.open(1, "Stall"))
      try await server.wait(forCalls: 1)
      server.drain()
      #expect(try Self.code(try await peer.receiveFrame(), 1) == .unavailable)
      try await service.cancelled.wait()
    }
  }

  @Test func `a stream of many messages arrives complete and in order`() async throws {
    try await withServer { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.open(1, "Many", seconds: 20_000, flags: .remoteClosed))
      for number in 1...Int64(20_000) {
        var frame = ByteBuffer(bytes: try #require(try await peer.receiveFrame()))
        _ = frame.readFrameHeader()
        let message = try frame.message(WireDuration.self)
        try #require(message.seconds == number)
      }
      #expect(try await peer.receiveFrame() == Golden.bytes("00000000 00000001 03 05"))
    }
  }
}
