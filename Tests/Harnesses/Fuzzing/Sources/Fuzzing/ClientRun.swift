import NIOCore
import NIOEmbedded
import ProtobufC

@testable import TTRPC

/// A run of a client's connection: an input decides its calls and the bytes that the server sends.
///
/// Each record of the input is a step: a call begins or is cancelled, bytes of the server arrive,
/// the event loop or the pool runs, time passes, or the server reads.
final class ClientRun {
  static let limits = {
    var limits = ClientLimits()
    limits.wire.maximumMessageSize = 1024
    limits.queuedBytesPerStream = 2048
    limits.queuedBytesPerConnection = 4096
    return limits
  }()

  let eventLoop = SteppedEventLoop()
  let budget = InboundBudget()
  let gate = Gate()
  let channel: EmbeddedChannel
  let handler: ClientConnectionHandler
  private let window: PeerWindow
  private var tasks: [Task<Void, Never>] = []
  private let ended = Count()
  private var received: [UInt8] = []
  private var pending: [UInt8] = []

  init() throws {
    let handler = ClientConnectionHandler(limits: Self.limits, inboundBudget: budget)
    self.handler = handler
    let channel = EmbeddedChannel(loop: eventLoop.loop)
    self.channel = channel
    window = PeerWindow { [unowned channel] in channel.isWritable = $0 }
    try eventLoop.onLoop {
      try channel.pipeline.syncOperations.addHandlers([window, handler])
      channel.connect(to: try SocketAddress(unixDomainSocketPath: "/s"), promise: nil)
    }
  }

  func run(_ input: ArraySlice<UInt8>) {
    for step in Records(input) {
      perform(step)
      checkBounds()
    }
    gate.open()
    eventLoop.onLoop { channel.close(promise: nil) }
    eventLoop.runUntilQuiet()
    readOutput()
    checkEnd()
    try? eventLoop.onLoop { _ = try channel.finish(acceptAlreadyClosed: true) }
  }

  private func perform(_ step: Fields) {
    var step = step
    let kind = step.byte()
    switch kind & 0x0f {
    case 0, 1: call(&step)
    case 2, 3: pending += frame(WireFrame.data, &step)
    case 4: pending += frame(WireFrame.response, &step)
    case 5: pending += status(&step)
    case 6: pending += frame(step.byte(), &step)
    case 7:
      let (length, type) = (step.word() % (1 << 25), step.byte())
      let (streamID, flags) = (UInt32(step.byte()), step.byte())
      pending += WireFrame.bytes(
        type: type, streamID: streamID, flags: flags, payload: step.payload(), length: length)
    case 8: pending += step.payload()
    case 9: deliver()
    case 10: for _ in 0..<step.number(below: 8) { eventLoop.runJob(step.number(below: 256)) }
    case 11: eventLoop.tick()
    case 12: eventLoop.advance(.milliseconds(Int64(step.byte())))
    case 13: serverReads(step.byte())
    case 14:
      if tasks.isEmpty {
        gate.resumeWaiting()
      } else {
        tasks[step.number(below: tasks.count)].cancel()
      }
    default: happen(step.byte())
    }
    if kind & 0x40 != 0 { deliver() }
    if kind & 0x80 != 0 { eventLoop.runUntilQuiet() }
    readOutput()
  }

  // MARK: - Bytes of the server

  private func frame(_ type: UInt8, _ step: inout Fields) -> [UInt8] {
    let (streamID, flags) = (UInt32(step.byte()), step.byte())
    return WireFrame.bytes(
      type: type, streamID: streamID, flags: flags, payload: step.payload())
  }

  private func status(_ step: inout Fields) -> [UInt8] {
    let (streamID, code) = (UInt32(step.byte()), Int32(step.byte()))
    let detail = WireAnyMessage(
      typeURL: step.byte() & 1 == 0 ? WireAnyMessage.badRequestURL : WireAnyMessage.retryInfoURL,
      value: step.payload())
    let response = WireResponse(status: WireStatus(code: code, message: "no", details: [detail]))
    return WireFrame.bytes(
      type: WireFrame.response, streamID: streamID, flags: 0, payload: response.serialized())
  }

  private func deliver() {
    defer { pending = [] }
    guard !pending.isEmpty, channel.isActive else { return }
    let bytes = ByteBuffer(bytes: pending)
    eventLoop.onLoop { _ = try? channel.writeInbound(bytes) }
  }

  private func serverReads(_ choice: UInt8) {
    window.isOpen = choice & 1 == 0
    guard channel.isActive,
      let context = try? channel.pipeline.syncOperations.context(handler: window)
    else { return }
    eventLoop.onLoop { window.read(context) }
  }

  private func happen(_ choice: UInt8) {
    guard channel.isActive else { return }
    eventLoop.onLoop {
      switch choice % 4 {
      case 0: gate.resumeWaiting()
      case 1: handler.retire()
      case 2: channel.close(promise: nil)
      default: channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
      }
    }
  }

  private func readOutput() {
    while let buffer = eventLoop.onLoop({ try? channel.readOutbound(as: ByteBuffer.self) }) {
      received += Array(buffer.readableBytesView)
    }
  }

  // MARK: - Calls

  /// Begins a call with the caller that a step describes.
  private func call(_ step: inout Fields) {
    guard tasks.count < 32 else { return }
    let shape = [
      CallShape.unary, .serverStreaming, .clientStreaming, .bidirectional,
    ][step.number(below: 4)]
    let timeout = step.byte()
    let caller = Caller(
      shape: shape, writes: step.number(below: 16), reads: step.number(below: 16),
      waits: step.byte() & 1 == 1, gate: gate)
    let context = ClientContext(
      method: MethodDescriptor(service: "p", name: "M", shape: shape), metadata: ["k": "v"],
      deadline: nil, waitsForReady: false)
    let payload = step.payload()
    let exchange = ClientExchange(shape: shape, budget: budget, eventLoop: eventLoop)
    eventLoop.onLoop {
      let call = exchange.begin(context)
      if timeout > 0 {
        call.setDeadline(
          eventLoop.now + .milliseconds(Int64(timeout)), timers: eventLoop, on: eventLoop)
      }
      call.assign(handler)
      let request = WireRequest(
        service: "p", method: "M", payload: shape.streamsRequests ? [] : payload, timeout: nil,
        metadata: context.metadata)
      if !handler.start(call, request: request) { call.finish(.failure(.ended)) }
    }
    tasks.append(
      Task { [ended] in
        await caller.make(exchange, message: payload)
        ended.increase()
      })
  }

  // MARK: - Invariants

  private func checkBounds() {
    expect(
      budget.bytes <= Self.limits.queuedBytesPerConnection,
      "queued messages are within their limit")
    expect(budget.bytes >= 0, "the number of queued bytes is not negative")
  }

  private func checkEnd() {
    expect(ended.value == tasks.count, "all calls have ended: \(ended.value) of \(tasks.count)")
    expect(handler.calls.isEmpty, "the table of calls is empty at the end")
    expect(handler.outbound.isEmpty, "no writer waits at the end")
    expect(eventLoop.timers == 0, "no timer is left: \(eventLoop.timers)")
    expect(budget.bytes == 0, "no queued bytes are left: \(budget.bytes)")
    ClientOutput.check(received)
  }
}
