import GRPC
import Logging
import NIOCore
import NIOEmbedded
import ProtobufC

@testable import TTRPC

/// A run of a server's connection whose peer speaks HTTP/2: an input decides all events on it.
///
/// The first byte of the input decides how the run begins and ends. Each record is a step, as in
/// ``ServerRun``: frames of the peer arrive, the event loop or the pool runs, time passes, the peer
/// reads, or handlers are resumed.
final class GRPCRun {
  private let eventLoop = SteppedEventLoop()
  private let service = FuzzedService()
  private let journal = Journal()
  private let channel: EmbeddedChannel
  private let load: ServerLoad
  private let window: PeerWindow
  private var received: [UInt8] = []
  /// The bytes that the peer will send in one piece.
  private var pending: [UInt8] = []
  private var lastStreamID: UInt32 = 0
  /// The streams that the peer has opened.
  private var opened: Set<UInt32> = []
  private var inputIsClosed = false
  /// True while all frames are valid, so that the server has no reason to close the connection.
  private var isValid = true

  init() throws {
    let logger = Logger(label: "fuzzing") { [journal] _ in journal }
    let parts = ServerParts(
      [service], formats: [.grpc], routes: [], interceptors: [], limits: ServerRun.limits,
      budget: { _ in .unlimited })
    load = parts.load
    guard let admission = parts.load.connectionOpened(by: 2, .unlimited) else {
      violated("the first connection is admitted")
    }
    let channel = EmbeddedChannel(loop: eventLoop.loop)
    self.channel = channel
    let window = PeerWindow { [unowned channel] in channel.isWritable = $0 }
    self.window = window
    let connection = ServerConnection(
      parts, PeerIdentity(processID: 1, userID: 2, groupID: 3), admission, channel,
      ServerLoop(eventLoop, parts), logger)
    try eventLoop.onLoop {
      try channel.pipeline.syncOperations.addHandler(window)
      try connection.start()
      channel.connect(to: try SocketAddress(unixDomainSocketPath: "/s"), promise: nil)
    }
  }

  func run(_ input: ArraySlice<UInt8>) {
    let head = input.first ?? 0
    begin(head)
    for step in Records(input.dropFirst()) {
      perform(step)
      checkBounds()
    }
    if head & 1 == 0 { endPolitely() } else { disconnect() }
    checkEnd()
    try? eventLoop.onLoop { _ = try channel.finish(acceptAlreadyClosed: true) }
  }

  /// Sends the preface, whole or in parts, and usually settings.
  private func begin(_ head: UInt8) {
    pending += HTTP2Bytes.preface
    if head & 2 != 0 { deliver() }
    guard head & 4 == 0 else { return isValid = false }
    pending += HTTP2Bytes.bytes(HTTP2Bytes.settings, 0)
    pending += HTTP2Bytes.bytes(HTTP2Bytes.settings, flags: HTTP2Bytes.acknowledgment, 0)
    deliver()
  }

  private func perform(_ step: Fields) {
    var step = step
    let kind = step.byte()
    switch kind & 0x0f {
    case 0: knownCall(&step)
    case 1: message(&step)
    case 2: headers(&step)
    case 3: frame(HTTP2Bytes.data, &step)
    case 4:
      isValid = false
      pending += HTTP2Bytes.bytes(
        HTTP2Bytes.reset, streamID(&step), HTTP2Bytes.bigEndian(UInt32(step.byte())))
    case 5: settings(&step)
    case 6:
      isValid = false
      pending += HTTP2Bytes.bytes(
        HTTP2Bytes.ping, flags: step.byte(), 0, [UInt8](repeating: 0, count: 8))
    case 7:
      isValid = false
      pending += HTTP2Bytes.bytes(
        HTTP2Bytes.windowUpdate, streamID(&step), HTTP2Bytes.bigEndian(step.word()))
    case 8: frame(step.byte(), &step)
    case 9: deliver()
    case 10: for _ in 0..<step.number(below: 8) { eventLoop.runJob(step.number(below: 256)) }
    case 11: eventLoop.tick()
    case 12: eventLoop.advance(.milliseconds(Int64(step.byte()) << Int64(step.byte() & 7)))
    case 13: peerReads(step.byte())
    case 14: (step.byte() & 1 == 0 ? service.gate : service.stubbornGate).resumeWaiting()
    default: happen(step.byte(), &step)
    }
    if kind & 0x40 != 0 { deliver() }
    if kind & 0x80 != 0 { eventLoop.runUntilQuiet() }
    readOutput()
  }

  // MARK: - Frames of the peer

  /// Returns the stream ID for a byte: 0 is the next ID, 255 the last one, others are themselves.
  private func streamID(_ step: inout Fields) -> UInt32 {
    switch step.byte() {
    case 0: lastStreamID &+ (lastStreamID % 2 == 0 ? 1 : 2)
    case 255: lastStreamID
    case let id: UInt32(id)
    }
  }

  /// Opens a stream with the headers of a call.
  private func knownCall(_ step: inout Fields) {
    let name = FuzzedService.methodNames[step.number(below: FuzzedService.methodNames.count)]
    let id = streamID(&step)
    let (flags, timeout) = (step.byte(), step.byte())
    if id <= lastStreamID || id % 2 == 0 || flags & ~HTTP2Bytes.endStream != 0 { isValid = false }
    lastStreamID = max(lastStreamID, id)
    opened.insert(id)
    // The server accepts as many as it has announced.
    if opened.count > ServerRun.limits.callsPerConnection { isValid = false }
    var extra: [(String, String)] = timeout & 1 == 0 ? [] : [("grpc-encoding", "gzip")]
    if timeout > 1 { extra.append(("grpc-timeout", "\(timeout)m")) }
    pending += HTTP2Bytes.bytes(
      HTTP2Bytes.headers, flags: flags | HTTP2Bytes.endHeaders, id,
      HTTP2Bytes.call(name, extra))
  }

  /// Sends a message on a stream.
  private func message(_ step: inout Fields) {
    // A stream that is not open may get one.
    isValid = false
    let (id, flags, flag) = (streamID(&step), step.byte(), step.byte())
    pending += HTTP2Bytes.bytes(
      HTTP2Bytes.data, flags: flags & HTTP2Bytes.endStream, id,
      HTTP2Bytes.message(step.payload(), flag: flag))
  }

  /// Sends headers of a call, with further bytes in the block.
  private func headers(_ step: inout Fields) {
    isValid = false
    let (id, flags) = (streamID(&step), step.byte())
    lastStreamID = max(lastStreamID, id)
    let name = FuzzedService.methodNames[step.number(below: FuzzedService.methodNames.count)]
    pending += HTTP2Bytes.bytes(
      HTTP2Bytes.headers, flags: flags, id, HTTP2Bytes.call(name) + step.payload())
  }

  private func settings(_ step: inout Fields) {
    isValid = false
    let flags = step.byte()
    var payload: [UInt8] = []
    for _ in 0..<step.number(below: 4) {
      payload += [0, step.byte()] + HTTP2Bytes.bigEndian(step.word())
    }
    pending += HTTP2Bytes.bytes(HTTP2Bytes.settings, flags: flags, 0, payload)
  }

  private func frame(_ type: UInt8, _ step: inout Fields) {
    isValid = false
    let (id, flags) = (streamID(&step), step.byte())
    pending += HTTP2Bytes.bytes(type, flags: flags, id, step.payload())
  }

  private func deliver() {
    defer { pending = [] }
    guard !pending.isEmpty, channel.isActive, !inputIsClosed else { return }
    let bytes = ByteBuffer(bytes: pending)
    eventLoop.onLoop { _ = try? channel.writeInbound(bytes) }
  }

  // MARK: - Other events

  private func peerReads(_ choice: UInt8) {
    // A peer that does not read is disconnected after a time.
    if choice & 1 != 0 { isValid = false }
    window.isOpen = choice & 1 == 0
    guard channel.isActive else { return }
    eventLoop.onLoop {
      guard let context = try? channel.pipeline.syncOperations.context(handler: window) else {
        return
      }
      window.read(context)
    }
  }

  private func happen(_ choice: UInt8, _ step: inout Fields) {
    isValid = false
    guard channel.isActive else { return }
    if choice % 6 == 5 { return pending += step.payload() }
    eventLoop.onLoop {
      switch choice % 6 {
      case 0: closeInput()
      case 1: channel.pipeline.fireUserInboundEventTriggered(DrainStarted())
      case 2: channel.pipeline.fireUserInboundEventTriggered(DrainEnded())
      case 3: channel.close(promise: nil)
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
        (try? channel.readOutbound(as: ByteBuffer.self)).flatMap { $0 }
          .map { Array($0.readableBytesView) }
      }
      guard let output else { return }
      received += output
    }
  }

  // MARK: - End

  /// Ends the run in an orderly way.
  ///
  /// The peer reads everything, and all handlers are resumed. If all frames were valid, a further
  /// call is answered. Then the peer closes its end, and the server closes the connection.
  private func endPolitely() {
    deliver()
    peerReads(0)
    service.gate.open()
    service.stubbornGate.open()
    eventLoop.runUntilQuiet()
    readOutput()
    if isValid { checkAnswer() }
    if channel.isActive { eventLoop.onLoop { closeInput() } }
    eventLoop.runUntilQuiet()
    readOutput()
    expect(!channel.isActive, "the server closes the connection after the peer has")
    disconnect()
  }

  /// Resets all streams, and makes a call.
  private func checkAnswer() {
    expect(channel.isActive, "the connection of a peer that makes no mistake stays open")
    for id in stride(from: 1, through: lastStreamID, by: 2) where opened.contains(id) {
      pending += HTTP2Bytes.bytes(HTTP2Bytes.reset, id, HTTP2Bytes.bigEndian(8))
    }
    let id = lastStreamID + (lastStreamID % 2 == 0 ? 1 : 2)
    pending += HTTP2Bytes.bytes(
      HTTP2Bytes.headers, flags: HTTP2Bytes.endHeaders | HTTP2Bytes.endStream, id,
      HTTP2Bytes.call("None"))
    deliver()
    eventLoop.runUntilQuiet()
    readOutput()
    expect(output.hasEnded(id), "a call on a connection of valid frames is answered")
  }

  /// Disconnects the peer: handlers that honor cancellation return.
  private func disconnect() {
    eventLoop.onLoop { channel.close(promise: nil) }
    eventLoop.runUntilQuiet()
    service.stubbornGate.open()
    eventLoop.runUntilQuiet()
  }

  // MARK: - Invariants

  private var output: GRPCOutput {
    GRPCOutput(received: received, limit: ServerRun.limits.wire.maximumMessageSize)
  }

  private func checkBounds() {
    let limits = ServerRun.limits
    expect(load.bytesQueued >= 0, "the number of queued bytes is not negative")
    // Of a read, further bytes may arrive after the limit is reached.
    expect(
      load.bytesQueued <= limits.queuedBytes + 65_536 || !channel.isActive,
      "queued bytes are within their limit: \(load.bytesQueued)")
    expect(
      load.callsInFlight <= limits.calls + limits.endlessCalls + 2 * limits.callsPerConnection,
      "calls are within their limits: \(load.callsInFlight)")
  }

  private func checkEnd() {
    expect(!channel.isActive, "the connection is closed at the end")
    expect(load.callsInFlight == 0, "no call is left: \(load.callsInFlight)")
    expect(load.bytesQueued == 0, "no queued byte is left: \(load.bytesQueued)")
    expect(eventLoop.timers == 0, "no timer is left: \(eventLoop.timers)")
    _ = output
  }
}
