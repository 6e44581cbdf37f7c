import NIOConcurrencyHelpers
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix

/// A gRPC client for tests that sends and receives single HTTP/2 frames.
///
/// It grants no flow-control window unless a test tells it to.
final class GRPCPeer: Sendable {
  /// A frame from the server, on one stream.
  enum Event: Sendable, Equatable {
    case headers([String: String], isLast: Bool)
    case data([UInt8])
    case reset(Int)
  }

  private let channel: any Channel
  private let frames: Frames

  private init(_ channel: any Channel, _ frames: Frames) {
    self.channel = channel
    self.frames = frames
  }

  /// Connects to a server.
  ///
  /// - Parameter window: The flow-control window of each stream, in bytes.
  static func connect(_ path: String, window: Int = 65_535) async throws -> GRPCPeer {
    let frames = Frames()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            NIOHTTP2Handler(
              mode: .client,
              initialSettings: [HTTP2Setting(parameter: .initialWindowSize, value: window)]))
          try channel.pipeline.syncOperations.addHandler(FrameHandler(frames))
        }
      }
      .connect(unixDomainSocketPath: path).get()
    let peer = GRPCPeer(channel, frames)
    // The window of the connection has its own size, 65535 bytes at first.
    if window > 65_535 { try await peer.grant(window, on: 0) }
    return peer
  }

  func close() async throws {
    try? await channel.close().get()
  }

  func waitUntilClosed() async throws {
    try await channel.closeFuture.get()
  }

  /// Opens a stream with the headers of a call.
  func open(
    _ method: String, _ extra: [(String, String)] = [], type: String = "application/grpc",
    isLast: Bool = false
  ) async throws -> Int {
    let id = frames.nextStreamID()
    let headers = HPACKHeaders(
      [
        (":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "localhost"),
        ("content-type", type), ("te", "trailers"),
      ] + extra)
    try await write(id, .headers(.init(headers: headers, endStream: isLast)))
    return id
  }

  /// Sends a message.
  func send(
    _ message: [UInt8], on id: Int, flag: UInt8 = 0, length: Int? = nil, isLast: Bool = false
  ) async throws {
    var buffer = ByteBuffer()
    buffer.writeInteger(flag)
    buffer.writeInteger(UInt32(length ?? message.count))
    buffer.writeBytes(message)
    try await write(id, .data(.init(data: .byteBuffer(buffer), endStream: isLast)))
  }

  func send(raw bytes: [UInt8], on id: Int) async throws {
    try await write(id, .data(.init(data: .byteBuffer(ByteBuffer(bytes: bytes)))))
  }

  func end(_ id: Int) async throws {
    try await write(id, .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
  }

  func reset(_ id: Int) async throws {
    try await write(id, .rstStream(.cancel))
  }

  func grant(_ count: Int, on id: Int) async throws {
    try await write(id, .windowUpdate(windowSizeIncrement: count))
  }

  private func write(_ id: Int, _ payload: HTTP2Frame.FramePayload) async throws {
    let channel = channel
    do {
      try await channel.eventLoop.flatSubmit {
        channel.writeAndFlush(HTTP2Frame(streamID: HTTP2StreamID(id), payload: payload))
      }.get()
    } catch is NIOHTTP2Errors.NoSuchStream {
      // The server has ended the stream meanwhile.
    } catch is NIOHTTP2Errors.StreamClosed {
      // As above.
    }
  }

  /// Returns the next frame of a stream.
  func next(_ id: Int) async -> Event {
    await frames.next(id)
  }

  /// Waits for the server's GOAWAY.
  func goAway() async { _ = await frames.next(0) }

  /// Calls a method with a single request, and returns its messages and its trailers.
  func call(
    _ method: String, _ request: [UInt8], _ extra: [(String, String)] = []
  ) async throws -> (messages: [[UInt8]], trailers: [String: String]) {
    let id = try await open(method, extra)
    try await send(request, on: id, isLast: true)
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
    var lastStreamID = -1
    var arrived: [Int: [GRPCPeer.Event]] = [:]
    var waiting: [Int: CheckedContinuation<GRPCPeer.Event, Never>] = [:]
  }

  private let state = NIOLockedValueBox(State())

  func nextStreamID() -> Int {
    state.withLockedValue { state in
      state.lastStreamID += 2
      return state.lastStreamID
    }
  }

  func append(_ event: GRPCPeer.Event, _ id: Int) {
    let reader = state.withLockedValue { state in
      let reader = state.waiting.removeValue(forKey: id)
      if reader == nil { state.arrived[id, default: []].append(event) }
      return reader
    }
    reader?.resume(returning: event)
  }

  func next(_ id: Int) async -> GRPCPeer.Event {
    await withCheckedContinuation { reader in
      let event = state.withLockedValue { state -> GRPCPeer.Event? in
        if state.arrived[id]?.isEmpty == false { return state.arrived[id]?.removeFirst() }
        state.waiting[id] = reader
        return nil
      }
      if let event { reader.resume(returning: event) }
    }
  }
}

private final class FrameHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame

  private let frames: Frames

  init(_ frames: Frames) {
    self.frames = frames
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    let id = Int(frame.streamID)
    switch frame.payload {
    case .headers(let headers):
      var values: [String: String] = [:]
      for (name, value, _) in headers.headers { values[name] = value }
      frames.append(.headers(values, isLast: headers.endStream), id)
    case .data(let data):
      if case .byteBuffer(let bytes) = data.data {
        frames.append(.data(Array(bytes.readableBytesView)), id)
      }
    case .rstStream(let code):
      frames.append(.reset(code.networkCode), id)
    case .goAway:
      frames.append(.reset(0), 0)
    default:
      break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Errors of single streams show in the frames.
  }
}
