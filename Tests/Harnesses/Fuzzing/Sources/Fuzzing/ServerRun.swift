import Logging
import NIOCore
import NIOEmbedded
import ProtobufC

@testable import TTRPC

/// A run of a server's connection: an input decides all events on it.
///
/// The first byte of the input decides how the run ends. Each record is a step: bytes of the peer
/// arrive, the event loop or the pool runs, time passes, the peer reads, or handlers are resumed.
final class ServerRun {
  static let limits = {
    var limits = ServerLimits()
    limits.wire.maximumMessageSize = 1024
    limits.callsPerConnection = 8
    limits.calls = 6
    limits.connections = 4
    limits.endlessCallsPerConnection = 3
    limits.endlessCalls = 5
    limits.slowReaderTimeout = .milliseconds(100)
    limits.queuedBytesPerStream = 2048
    limits.queuedBytesPerConnection = 4096
    limits.queuedBytes = 16_384
    return limits
  }()

  let eventLoop = SteppedEventLoop()
  let service = FuzzedService()
  var load: ServerLoad { connection.server.load }
  let journal = Journal()
  let channel: EmbeddedChannel
  let connection: ServerConnection
  /// The handler of ttrpc, once the first bytes have arrived and are not HTTP.
  private var handler: TTRPCConnectionHandler?
  var window: PeerWindow
  /// The bytes that the peer has sent.
  private(set) var sent: [UInt8] = []
  /// The bytes that the peer has received.
  private(set) var received: [UInt8] = []
  /// The bytes that the peer will send in one piece.
  private var pending: [UInt8] = []
  private var lastStreamID: UInt32 = 0
  private(set) var inputIsClosed = false
  /// True if responses may be missing, since the connection was lost.
  private(set) var wasCut = false

  init() throws {
    let logger = Logger(label: "fuzzing") { [journal] _ in journal }
    let route = HTTPRoute(path: "/healthz") { _ in HTTPResponse(line: "well") }
    let parts = ServerParts(
      [service], routes: [route], interceptors: [], limits: Self.limits,
      budget: { _ in .unlimited })
    guard let admission = parts.load.connectionOpened(by: 2, .unlimited) else {
      violated("the first connection is admitted")
    }
    let channel = EmbeddedChannel(loop: eventLoop.loop)
    self.channel = channel
    window = PeerWindow { [unowned channel] in channel.isWritable = $0 }
    connection = ServerConnection(
      parts, PeerIdentity(processID: 1, userID: 2, groupID: 3), admission, channel,
      ServerLoop(eventLoop, parts), logger)
    try eventLoop.onLoop {
      try channel.pipeline.syncOperations.addHandler(window)
      try connection.start()
      channel.connect(to: try SocketAddress(unixDomainSocketPath: "/s"), promise: nil)
    }
  }

  func run(_ input: ArraySlice<UInt8>) {
    let ending = input.first ?? 0
    for step in Records(input.dropFirst()) {
      perform(step)
      checkBounds()
    }
    if ending & 1 == 0 { endPolitely() } else { disconnect() }
    checkEnd()
    try? eventLoop.onLoop { _ = try channel.finish(acceptAlreadyClosed: true) }
  }

  private func perform(_ step: Fields) {
    var step = step
    let kind = step.byte()
    switch kind & 0x0f {
    case 0: pending += knownRequest(&step)
    case 1: pending += frame(WireFrame.request, &step)
    case 2, 3: pending += frame(WireFrame.data, &step)
    case 4: pending += frame(WireFrame.cancel, &step)
    case 5: pending += frame(step.byte(), &step)
    case 6:
      let (type, streamID, flags) = (step.byte(), step.word(), step.byte())
      pending += WireFrame.bytes(
        type: type, streamID: streamID, flags: flags, payload: step.payload())
    case 7:
      let (length, type) = (step.word() % (1 << 25), step.byte())
      let (streamID, flags) = (streamID(&step), step.byte())
      pending += WireFrame.bytes(
        type: type, streamID: streamID, flags: flags, payload: step.payload(), length: length)
    case 8: pending += step.payload()
    case 9: deliver()
    case 10: for _ in 0..<step.number(below: 8) { eventLoop.runJob(step.number(below: 256)) }
    case 11: eventLoop.tick()
    case 12: eventLoop.advance(.milliseconds(Int64(step.byte())))
    case 13: peerReads(step.byte())
    case 14: (step.byte() & 1 == 0 ? service.gate : service.stubbornGate).resumeWaiting()
    default: happen(step.byte())
    }
    if kind & 0x40 != 0 { deliver() }
    if kind & 0x80 != 0 { eventLoop.runUntilQuiet() }
    readOutput()
  }

  // MARK: - Bytes of the peer

  /// Returns the stream id for a byte: 0 is the next id, 255 the last one, others are themselves.
  private func streamID(_ step: inout Fields) -> UInt32 {
    switch step.byte() {
    case 0: lastStreamID &+ (lastStreamID % 2 == 0 ? 1 : 2)
    case 255: lastStreamID
    case let id: UInt32(id)
    }
  }

  private func knownRequest(_ step: inout Fields) -> [UInt8] {
    let name = FuzzedService.methodNames[step.number(below: FuzzedService.methodNames.count)]
    let streamID = streamID(&step)
    let (flags, timeout) = (step.byte(), step.byte())
    let request = WireRequest(
      service: "p", method: name, payload: step.payload(),
      timeoutNano: timeout == 255 ? -1 : Int64(timeout) * 1_000_000)
    lastStreamID = max(lastStreamID, streamID)
    return WireFrame.bytes(
      type: WireFrame.request, streamID: streamID, flags: flags, payload: request.serialized())
  }

  private func frame(_ type: UInt8, _ step: inout Fields) -> [UInt8] {
    let (streamID, flags) = (streamID(&step), step.byte())
    if type == WireFrame.request { lastStreamID = max(lastStreamID, streamID) }
    return WireFrame.bytes(
      type: type, streamID: streamID, flags: flags, payload: step.payload())
  }

  private func deliver() {
    defer { pending = [] }
    guard !pending.isEmpty else { return }
    // While the server does not read, the system buffers the bytes of a connection.
    for _ in 0..<20 where connection.reads.isPaused { eventLoop.advance(.milliseconds(20)) }
    guard channel.isActive, !inputIsClosed else { return }
    sent += pending
    let bytes = ByteBuffer(bytes: pending)
    eventLoop.onLoop {
      _ = try? channel.writeInbound(bytes)
      handler =
        handler ?? (try? channel.pipeline.syncOperations.handler(type: TTRPCConnectionHandler.self))
    }
    // Frames that arrive with the one that closed the connection, or while it closes, get no
    // response.
    if !channel.isActive || handler?.isFinishing ?? false { wasCut = true }
  }

  // MARK: - Other events

  private func peerReads(_ choice: UInt8) {
    window.isOpen = choice & 1 == 0
    guard channel.isActive, let context = try? windowContext else { return }
    eventLoop.onLoop { window.read(context) }
  }

  private var windowContext: ChannelHandlerContext {
    get throws { try channel.pipeline.syncOperations.context(handler: window) }
  }

  private func happen(_ choice: UInt8) {
    guard channel.isActive else { return }
    eventLoop.onLoop {
      switch choice % 5 {
      case 0: closeInput()
      case 1: channel.pipeline.fireUserInboundEventTriggered(DrainStarted())
      case 2:
        // The end of a drain does not wait for calls or for the peer.
        wasCut = wasCut || !window.isOpen || connection.reads.isPaused
        channel.pipeline.fireUserInboundEventTriggered(DrainEnded())
      case 3:
        wasCut = true
        channel.close(promise: nil)
      default: channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
      }
    }
  }

  private func closeInput() {
    guard !inputIsClosed else { return }
    inputIsClosed = true
    channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
  }

  private func readOutput() {
    while true {
      let output = eventLoop.onLoop { () -> [UInt8]? in
        if let buffer = try? channel.readOutbound(as: ByteBuffer.self) {
          return Array(buffer.readableBytesView)
        }
        return nil
      }
      guard let output else { return }
      received += output
    }
  }

  // MARK: - End

  /// Ends the run in an orderly way.
  ///
  /// The peer reads everything, all handlers are resumed, and the peer closes its end. All calls
  /// then have a response, and the server closes the connection.
  private func endPolitely() {
    deliver()
    peerReads(0)
    service.gate.open()
    service.stubbornGate.open()
    eventLoop.runUntilQuiet()
    readOutput()
    let http = isHTTP
    if channel.isActive { eventLoop.onLoop { closeInput() } }
    eventLoop.runUntilQuiet()
    // A server with a read quota needs several ticks to read everything.
    for _ in 0..<20 where channel.isActive {
      eventLoop.advance(.milliseconds(20))
      eventLoop.runUntilQuiet()
      readOutput()
    }
    if channel.isActive, !http {
      violated("the server closes the connection after the peer has, and all calls have a response")
    }
    readOutput()
    if !http, !wasCut, !journal.saysClosing { checkAnswers(isComplete: true) }
    disconnect()
  }

  /// Disconnects the peer: handlers that honor cancellation return.
  private func disconnect() {
    wasCut = true
    eventLoop.onLoop { channel.close(promise: nil) }
    eventLoop.runUntilQuiet()
    service.stubbornGate.open()
    eventLoop.runUntilQuiet()
  }

  private var isHTTP: Bool { sent.first.map { (65...90).contains($0) } ?? false }

  // MARK: - Invariants

  private func checkBounds() {
    let limits = Self.limits
    // The message that exceeds the limit is queued, too; the connection is then not read until a
    // handler takes messages.
    let longest = limits.wire.maximumMessageSize + InboundQueue.overhead
    expect(
      connection.calls.inboundBudget.bytes <= limits.queuedBytesPerConnection + longest,
      "queued messages exceed their limit by one message at most")
    expect(
      connection.reads.isPaused
        || connection.calls.inboundBudget.bytes <= limits.queuedBytesPerConnection
        || !channel.isActive,
      "a connection with queued messages above the limit is not read")
    expect(
      connection.calls.endlessCount <= limits.endlessCallsPerConnection,
      "endless calls are within their limit")
    expect(
      connection.reads.isPaused
        || handler?.decoder.bufferedBytes ?? 0 < limits.wire.maximumMessageSize + 10,
      "a frame is buffered only up to the limit")
    expect(
      handler?.output.waiting.bytes ?? 0 <= limits.queuedBytesPerConnection || !channel.isActive,
      "queued responses are within their limit")
    expect(load.bytesQueued == connection.queuedBytes, "each queued byte is counted once")
    expect(load.bytesQueued >= 0, "the number of queued bytes is not negative")
    expect(
      isHTTP || load.callsInFlight == connection.calls.handlersRunning,
      "each handler is counted once")
    expect(connection.calls.count <= connection.calls.handlersRunning, "each call has a handler")
    expect(
      connection.calls.count == handler?.state.callsInFlight ?? 0 || !channel.isActive,
      "the calls are those of the open streams")
  }

  private func checkEnd() {
    expect(!channel.isActive, "the connection is closed at the end")
    expect(load.callsInFlight == 0, "no call is left: \(load.callsInFlight)")
    expect(load.bytesQueued == 0, "no queued byte is left: \(load.bytesQueued)")
    expect(
      connection.calls.inboundBudget.bytes == 0,
      "no queued message is left: \(connection.calls.inboundBudget.bytes) bytes")
    expect(handler?.output.waiting.isEmpty ?? true, "no writer waits at the end")
    expect(eventLoop.timers == 0, "no timer is left: \(eventLoop.timers)")
    expect(
      connection.calls.isEmpty && connection.calls.handlersRunning == 0,
      "no call and no running handler is left")
    if !isHTTP { checkAnswers(isComplete: false) }
  }

  private func checkAnswers(isComplete: Bool) {
    let limit = Self.limits.wire.maximumMessageSize
    ServerOutput(sent: sent, received: received, limit: limit).check(isComplete: isComplete)
  }
}
