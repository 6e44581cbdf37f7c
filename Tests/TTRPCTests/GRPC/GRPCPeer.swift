import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A gRPC client for tests that sends messages and receives single HTTP/2 frames.
///
/// It grants no flow-control window unless a test tells it to.
final class GRPCPeer: Sendable {
  /// A frame from the server, or a piece of it, on one stream.
  enum Event: Sendable, Equatable {
    case headers([String: String], isLast: Bool)
    case data([UInt8])
    case reset(Int)
  }

  private let channel: any Channel
  private let frames: Frames
  private let session: NIOLoopBound<HTTP2ClientSession>

  private init(
    _ channel: any Channel, _ frames: Frames, _ session: NIOLoopBound<HTTP2ClientSession>
  ) {
    self.channel = channel
    self.frames = frames
    self.session = session
  }

  /// Connects to a server.
  ///
  /// - Parameter window: The flow-control window of each stream, in bytes.
  static func connect(_ path: String, window: Int = 65_535) async throws -> GRPCPeer {
    let frames = Frames()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let session = HTTP2ClientSession(window: window) { frames.append($1, $0) }
          try channel.pipeline.syncOperations.addHandler(SessionHandler(session, frames))
        }
      }
      .connect(unixDomainSocketPath: path).get()
    let session = try await channel.eventLoop.submit {
      let handler = try channel.pipeline.syncOperations.handler(type: SessionHandler.self)
      return NIOLoopBound(handler.session, eventLoop: channel.eventLoop)
    }.get()
    let peer = GRPCPeer(channel, frames, session)
    // The window of the connection has its own size, 65535 bytes at first.
    if window > 65_535 { try await peer.grant(window, on: 0) }
    return peer
  }

  func close() async throws {
    try? await channel.close().get()
  }

  /// Closes the peer's side of the connection, so that it can only receive.
  func finishSending() async throws {
    try await channel.close(mode: .output).get()
  }

  func waitUntilClosed() async throws {
    try await channel.closeFuture.get()
  }

  /// Opens a stream with the headers of a call.
  func open(
    _ method: String, _ extra: [(String, String)] = [], type: String = "application/grpc",
    isLast: Bool = false
  ) async throws -> Int {
    let headers = Self.headers(of: method, extra, type: type)
    return try await onSession { $0.open(headers, isLast: isLast) }
  }

  private static func headers(
    of method: String, _ extra: [(String, String)], type: String = "application/grpc"
  ) -> [(String, String)] {
    [
      (":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "localhost"),
      ("content-type", type), ("te", "trailers"),
    ] + extra
  }

  /// Sends a message.
  func send(
    _ message: [UInt8], on id: Int, flag: UInt8 = 0, length: Int? = nil, isLast: Bool = false
  ) async throws {
    let bytes = Self.frame(message, flag: flag, length: length)
    try await onSession { $0.send(bytes, on: id, isLast: isLast) }
  }

  private static func frame(_ message: [UInt8], flag: UInt8 = 0, length: Int? = nil) -> [UInt8] {
    [flag] + HTTP2RawPeer.integer(length ?? message.count) + message
  }

  func send(raw bytes: [UInt8], on id: Int) async throws {
    try await onSession { $0.send(bytes, on: id, isLast: false) }
  }

  func end(_ id: Int) async throws {
    try await onSession { $0.send([], on: id, isLast: true) }
  }

  func reset(_ id: Int) async throws {
    try await onSession { $0.reset(id) }
  }

  func grant(_ count: Int, on id: Int) async throws {
    try await onSession { $0.grant(count, on: id) }
  }

  /// Changes the session, and sends what it then has to send.
  private func onSession<Result: Sendable>(
    _ body: @escaping @Sendable (HTTP2ClientSession) -> Result
  ) async throws -> Result {
    try await channel.eventLoop.submit { [channel, session] in
      let result = body(session.value)
      channel.writeAndFlush(session.value.output(), promise: nil)
      return result
    }.get()
  }

  /// Returns the next frame of a stream.
  func next(_ id: Int) async -> Event {
    await frames.next(id)
  }

  /// Waits for the server's GOAWAY.
  func goAway() async { _ = await frames.next(0) }

  /// Calls a method with a single request, and returns its messages and its trailers.
  ///
  /// The headers and the request are sent together, so that no deadline passes between them.
  func call(
    _ method: String, _ request: [UInt8], _ extra: [(String, String)] = []
  ) async throws -> (messages: [[UInt8]], trailers: [String: String]) {
    let (headers, bytes) = (Self.headers(of: method, extra), Self.frame(request))
    let id = try await onSession { session in
      let id = session.open(headers, isLast: false)
      session.send(bytes, on: id, isLast: true)
      return id
    }
    return await rest(of: id)
  }

  /// Reads a stream to its end.
  func rest(of id: Int) async -> (messages: [[UInt8]], trailers: [String: String]) {
    var bytes: [UInt8] = []
    while true {
      switch await next(id) {
      case .headers(let headers, isLast: true): return (Self.messages(in: bytes), headers)
      case .headers: break
      case .data(let data): bytes += data
      case .reset(let code): return (Self.messages(in: bytes), ["reset": "\(code)"])
      }
    }
  }

  /// Cuts bytes into messages.
  static func messages(in bytes: [UInt8]) -> [[UInt8]] {
    var messages: [[UInt8]] = []
    var rest = bytes[...]
    while rest.count >= 5 {
      let length = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
      messages.append(Array(rest.dropFirst(5).prefix(length)))
      rest = rest.dropFirst(5 + length)
    }
    return messages
  }
}

/// The frames that have arrived, by stream.
private final class Frames: Sendable {
  private struct State {
    var arrived: [Int: [GRPCPeer.Event]] = [:]
    var waiting: [Int: CheckedContinuation<GRPCPeer.Event, Never>] = [:]
    var isClosed = false
  }

  /// The event of a stream whose connection has closed.
  private static let closed = GRPCPeer.Event.reset(-1)

  private let state = NIOLockedValueBox(State())

  func append(_ event: GRPCPeer.Event, _ id: Int) {
    let reader = state.withLockedValue { state in
      let reader = state.waiting.removeValue(forKey: id)
      if reader == nil { state.arrived[id, default: []].append(event) }
      return reader
    }
    reader?.resume(returning: event)
  }

  /// Ends the streams of a connection that has closed.
  func close() {
    let readers = state.withLockedValue { state in
      defer { (state.isClosed, state.waiting) = (true, [:]) }
      return state.waiting.values.map(\.self)
    }
    for reader in readers { reader.resume(returning: Self.closed) }
  }

  func next(_ id: Int) async -> GRPCPeer.Event {
    await withCheckedContinuation { reader in
      let event = state.withLockedValue { state -> GRPCPeer.Event? in
        if state.arrived[id]?.isEmpty == false { return state.arrived[id]?.removeFirst() }
        if state.isClosed { return Self.closed }
        state.waiting[id] = reader
        return nil
      }
      if let event { reader.resume(returning: event) }
    }
  }
}

private final class SessionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let session: HTTP2ClientSession
  private let frames: Frames

  init(_ session: HTTP2ClientSession, _ frames: Frames) {
    self.session = session
    self.frames = frames
  }

  func channelActive(context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(session.output()), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    session.receive(unwrapInboundIn(data))
    context.writeAndFlush(wrapOutboundOut(session.output()), promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    frames.close()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
