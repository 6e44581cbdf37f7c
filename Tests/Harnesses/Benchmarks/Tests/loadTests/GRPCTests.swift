import Glibc
import Testing

@testable import load

@Suite struct GRPCTests {
  @Test func `a header has nine bytes and can be read back`() {
    let frame = HTTP2FrameHeader.frame(
      kind: 1, flags: 4, streamID: 0x0102_0305, body: .init(repeating: 0, count: 0x0102))
    #expect(frame.prefix(9) == [0, 1, 2, 1, 4, 1, 2, 3, 5])
    let read = unsafe frame.withUnsafeBytes { bytes in
      unsafe bytes.baseAddress.map { unsafe HTTP2FrameHeader(at: $0) }
    }
    #expect(read == HTTP2FrameHeader(length: 0x0102, kind: 1, flags: 4, streamID: 0x0102_0305))
  }

  @Test func `the first request adds the fields that the next ones refer to`() throws {
    let first = try frames(.health, Call(streamID: 1), isFirst: true)[0]
    // Two fields of the static table, and five that are added to the dynamic table.
    #expect(first.body.prefix(2) == [0x83, 0x86])
    var rest = first.body.dropFirst(2)
    var values: [String] = []
    while let name = rest.popFirst() {
      #expect(name & 0xc0 == 0x40)
      for _ in 0..<(name == 0x40 ? 2 : 1) {
        let length = Int(rest.removeFirst())
        values.append(String(decoding: rest.prefix(length), as: UTF8.self))
        rest = rest.dropFirst(length)
      }
    }
    #expect(
      values == [
        "/grpc.health.v1.Health/Check", "localhost", "application/grpc", "te", "trailers", "load",
      ])
    let next = try frames(.health, Call(streamID: 3), isFirst: false)[0]
    #expect(next.body == [0x83, 0x86, 0xc2, 0xc1, 0xc0, 0xbf, 0xbe])
  }

  @Test func `a call writes its ids into both frames`() throws {
    var numbers = RandomNumbers(seed: 5)
    let call = Call(
      streamID: 0x0001_0203, user: 999, reservation: RandomUUID(using: &numbers))
    let frames = try frames(.reserveCredits, call, isFirst: false)
    #expect(frames.map(\.header.streamID) == [0x0001_0203, 0x0001_0203])
    #expect(frames.map(\.header.kind) == [1, 0])
    // The headers are complete, and the data ends the request.
    #expect(frames.map(\.header.flags) == [4, 1])
    let message = frames[1].body
    #expect(message.prefix(5) == [0, 0, 0, 0, UInt8(message.count - 5)])
    let values = try #require(fields(Array(message.dropFirst(5))))
    #expect(values[0].text == Identifiers.user(999))
    let reservation = unsafe written(RandomUUID.textLength) {
      unsafe call.reservation.write(to: $0)
    }
    #expect(values[2].bytes == reservation)
    let template = RequestTemplate(grpc: .reserveCredits, isFirst: false)
    #expect(template.dataLength == message.count)
  }

  @Test func `a window is granted again after a mebibyte`() {
    var unsent = SendBuffer(capacity: 4096)
    var flow = FlowControl(.grpc, &unsent)
    #expect(flow.sendWindow == 65_535)
    let opening = unsent.count
    #expect(opening == 24 + 9 + 13)
    flow.received(1 << 19, &unsent)
    #expect(unsent.count == opening)
    flow.received(1 << 19, &unsent)
    #expect(unsent.count == opening + 13)
    flow.received(1, &unsent)
    #expect(unsent.count == opening + 13)
  }

  @Test func `calls succeed over a connection whose server answers them`() throws {
    try withLoop { loop, server in
      let requests = server.frames().filter { $0.header.kind == HTTP2FrameHeader.Kind.data }
      #expect(requests.map(\.header.streamID) == [1, 3])
      server.send(.data, [0, 0, 0, 0, 2, 8, 1], on: 1)
      server.send(.headers, [0x88], flags: HTTP2FrameHeader.Flags.endHeaders, on: 3)
      try loop.receive(0)
      #expect(loop.waiting == 2)
      server.send(.headers, [0xbe], flags: 5, on: 1)
      try loop.receive(0)
      // The next call is sent on the connection.
      #expect(loop.waiting == 2)
      #expect(server.frames().map(\.header.streamID) == [5, 5])
    }
  }

  @Test func `a response without a message is an error`() throws {
    try withLoop { loop, server in
      server.send(.headers, [0x88], flags: 5, on: 1)
      #expect(throws: LoadError.self) { try loop.receive(0) }
    }
  }

  @Test(
    arguments: [
      [0, 0, 0, 0, 3, 8, 1], [1, 0, 0, 0, 2, 8, 1], [0, 0, 0],
    ] as [[UInt8]])
  func `data that is not one message is an error`(_ body: [UInt8]) throws {
    try withLoop { loop, server in
      server.send(.data, body, on: 1)
      #expect(throws: LoadError.self) { try loop.receive(0) }
    }
  }

  @Test func `SETTINGS and PING are acknowledged`() throws {
    try withLoop { loop, server in
      _ = server.frames()
      server.send(.settings, [], on: 0)
      server.send(.ping, [1, 2, 3, 4, 5, 6, 7, 8], on: 0)
      server.send(.settings, [], flags: HTTP2FrameHeader.Flags.ack, on: 0)
      try loop.receive(0)
      let answers = server.frames()
      #expect(answers.map(\.header.kind) == [4, 6])
      #expect(answers.map(\.header.flags) == [1, 1])
      #expect(answers[1].body == [1, 2, 3, 4, 5, 6, 7, 8])
    }
  }

  @Test func `a stream that is reset, and GOAWAY, are errors`() throws {
    try withLoop { loop, server in
      server.send(.resetStream, [0, 0, 0, 7], on: 9)
      try loop.receive(0)
      server.send(.resetStream, [0, 0, 0, 7], on: 1)
      #expect(throws: LoadError.self) { try loop.receive(0) }
      server.send(.goAway, [0, 0, 0, 1, 0, 0, 0, 11], on: 0)
      #expect(throws: LoadError.self) { try loop.receive(0) }
    }
  }

  @Test func `calls wait for the server's window`() throws {
    try withLoop { loop, server in
      _ = server.frames()
      unsafe loop.connections[0].flow.sendWindow = 68
      server.send(.data, [0, 0, 0, 0, 2, 8, 1], on: 1)
      server.send(.headers, [0xbe], flags: 5, on: 1)
      try loop.receive(0)
      #expect(loop.waiting == 1)
      server.send(.windowUpdate, [0, 0, 0, 1], on: 0)
      try loop.receive(0)
      #expect(loop.waiting == 2)
    }
  }

  private typealias Frame = (header: HTTP2FrameHeader, body: [UInt8])

  private func frames(_ request: Request, _ call: Call, isFirst: Bool) throws -> [Frame] {
    let template = RequestTemplate(grpc: request, isFirst: isFirst)
    let bytes = unsafe written(template.length) { unsafe template.write(to: $0, call) }
    return split(bytes)
  }

  /// Calls a closure with a loop that has sent two health checks, and with its server.
  private func withLoop(_ body: (inout CallLoop, Server) throws -> Void) throws {
    let server = try Server()
    defer { server.close() }
    let plan = Plan(
      work: .health, wireProtocol: .grpc, socket: server.path, connections: 1, inFlight: 2,
      warmup: 3_600_000_000_000, measured: 1, users: 1, seed: 1, batch: 1, mockups: 1,
      deadline: .max)
    var loop = try CallLoop(plan, CallWork(request: .health))
    try server.accept()
    _ = try loop.sendAll(Clock.now())
    try body(&loop, server)
  }
}

/// A server with one connection, whose frames the test reads and writes.
private final class Server {
  enum Kind: UInt8 {
    case data = 0
    case headers = 1
    case resetStream = 3
    case settings = 4
    case ping = 6
    case goAway = 7
    case windowUpdate = 8
  }

  let path = "/tmp/load-tests-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
  private let listener: Int32
  private var connection: Int32 = -1

  init() throws {
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0 && listen(listener, 1) == 0)
  }

  func accept() throws {
    connection = Glibc.accept(listener, nil, nil)
    try #require(connection >= 0)
  }

  func close() {
    Glibc.close(connection)
    Glibc.close(listener)
    unsafe unlink(path)
  }

  /// Reads the bytes that were written so far, and returns their frames.
  func frames() -> [(header: HTTP2FrameHeader, body: [UInt8])] {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe read(connection, &bytes, bytes.count)
    let opening = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    let received = bytes.prefix(count)
    return split(Array(received.starts(with: opening) ? received.dropFirst(24) : received))
  }

  func send(_ kind: Kind, _ body: [UInt8], flags: UInt8 = 0, on streamID: UInt32) {
    let frame = HTTP2FrameHeader.frame(
      kind: kind.rawValue, flags: flags, streamID: streamID, body: body)
    #expect(unsafe write(connection, frame, frame.count) == frame.count)
  }
}

private func split(_ bytes: [UInt8]) -> [(header: HTTP2FrameHeader, body: [UInt8])] {
  var rest = bytes[...]
  var frames: [(header: HTTP2FrameHeader, body: [UInt8])] = []
  while rest.count >= HTTP2FrameHeader.size {
    let start = Array(rest.prefix(HTTP2FrameHeader.size))
    guard
      let header = unsafe start.withUnsafeBytes({ bytes in
        unsafe bytes.baseAddress.map { unsafe HTTP2FrameHeader(at: $0) }
      })
    else { break }
    rest = rest.dropFirst(HTTP2FrameHeader.size)
    frames.append((header, Array(rest.prefix(Int(header.length)))))
    rest = rest.dropFirst(Int(header.length))
  }
  return frames
}
