/// A run of one StreamPerformance call, with batches at a rate or as fast as the socket takes them.
struct PerformanceRun: ~Copyable {
  private static let streamID: UInt32 = 1
  /// Batches are buffered until at least this number of bytes waits to be written.
  private static let writeSize = 256 << 10

  private let plan: Plan
  private let epoll: Epoll
  private let socket: UnixSocket
  private var batches: PerformanceBatches
  private var unsent: SendBuffer
  private var received: ReceiveBuffer
  private var meter: Meter
  private var sent = 0
  private var hasEnded = false

  init(_ plan: Plan) throws(LoadError) {
    let epoll = try Epoll()
    let socket = try UnixSocket(path: plan.socket, deadline: plan.deadline)
    try epoll.add(socket, token: 0)
    self.plan = plan
    self.epoll = epoll
    self.socket = socket
    batches = PerformanceBatches(
      size: plan.batch, mockups: plan.mockups, users: plan.users, seed: plan.seed)
    unsent = SendBuffer(capacity: Self.writeSize + batches.frameLength + 256)
    received = ReceiveBuffer()
    meter = Meter(processID: plan.serverProcessID)
  }

  /// Sends the request and the batches, and returns the outcome when the server has responded.
  mutating func run() throws(LoadError) -> PerformanceOutcome {
    let start = Clock.now()
    let schedule = plan.rate.map {
      Schedule(start: start, rate: $0 / Double(plan.batch), connections: 1)
    }
    try meter.begin(at: start)
    unsent.append(contentsOf: Self.request)
    var blocked = false
    while true {
      let next = bufferDueBatches(schedule, end: start + plan.measured)
      if try !unsent.flush(to: socket) != blocked {
        blocked.toggle()
        try epoll.change(socket, token: 0, forWriting: blocked)
      }
      // If the socket took everything and the next batch is due, `wait` returns without waiting.
      if try epoll.wait(until: blocked ? plan.deadline : next, now: Clock.now()) > 0,
        let outcome = try receive()
      {
        return outcome
      }
      guard Clock.now() < plan.deadline else {
        throw LoadError("the stream had no response in time: \(sent) batches were sent")
      }
    }
  }

  /// Buffers the batches that are due now.
  ///
  /// - Returns: The time at which the next batch is due.
  private mutating func bufferDueBatches(_ schedule: Schedule?, end: UInt64) -> UInt64 {
    let now = Clock.now()
    while !hasEnded, unsent.count < Self.writeSize {
      if now >= end || sent == plan.batches {
        unsent.append(contentsOf: Self.lastFrame)
        hasEnded = true
        break
      }
      if let due = schedule?.due(connection: 0, number: sent), due > now { return min(due, end) }
      unsafe batches.writeNext(
        to: unsent.append(batches.frameLength), streamID: Self.streamID)
      sent += 1
    }
    return hasEnded ? plan.deadline : now
  }

  private mutating func receive() throws(LoadError) -> PerformanceOutcome? {
    guard try received.fill(from: socket) else { return nil }
    let now = Clock.now()
    while let frame = try received.next() {
      guard frame.header.kind == FrameHeader.Kind.response else { continue }
      guard let answer = unsafe Answer(frame.body) else {
        throw LoadError("the server's response is malformed")
      }
      try meter.finish(at: now)
      return PerformanceOutcome(answer, sentBatches: sent, usage: try meter.usage())
    }
    return nil
  }

  private static var request: [UInt8] {
    var envelope = MessageWriter()
    envelope.string(1, "mockups.v1.MockupService")
    envelope.string(2, "StreamPerformance")
    return FrameHeader.frame(
      streamID: streamID, kind: FrameHeader.Kind.request,
      flags: FrameHeader.Flags.remoteOpen | FrameHeader.Flags.noData, body: envelope.bytes)
  }

  private static var lastFrame: [UInt8] {
    FrameHeader.frame(
      streamID: streamID, kind: FrameHeader.Kind.data,
      flags: FrameHeader.Flags.remoteClosed | FrameHeader.Flags.noData, body: [])
  }
}
