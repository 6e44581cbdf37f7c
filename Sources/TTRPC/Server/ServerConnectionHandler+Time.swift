internal import Logging
internal import NIOCore

extension ServerConnectionHandler {
  /// Looks now and then whether the peer has stopped in the middle of a frame, or fallen silent.
  func startWatch(_ context: ChannelHandlerContext) {
    let shortest = min(limits.frameTime, limits.writeTime, limits.idleTime ?? limits.frameTime)
    let interval = TimeAmount(max(shortest / 4, .milliseconds(10)))
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    watch = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      this.value.closeIfStalled()
    }
  }

  private func closeIfStalled() {
    let now = now
    let queuedBefore = queuedBytesReported
    checkQueuedBytes()
    // Who reads slowly reads all the same.
    if queuedBytesReported < queuedBefore, unwritableSince != nil { unwritableSince = now }
    if let frameBegan, now - frameBegan > TimeAmount(limits.frameTime) {
      logger.notice("closing: a frame was begun and not finished")
      close()
    } else if let unwritableSince, now - unwritableSince > TimeAmount(limits.writeTime) {
      logger.notice("closing: the peer has stopped reading")
      close()
    } else if let idleTime = limits.idleTime, calls.isEmpty,
      now - lastActivity > TimeAmount(idleTime)
    {
      logger.debug("closing: idle")
      close()
    }
  }
}

extension ServerConnectionHandler {
  /// Ends a call at a moment, unless it is over by then.
  func limit(_ streamID: UInt32, to deadline: ContinuousClock.Instant) {
    calls[streamID]?.deadline = deadline
    guard deadlines.isEarlier(deadline) else { return }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    deadlines.set(to: deadline, on: eventLoop) { this.value.endOverdueCalls() }
  }

  private func endOverdueCalls() {
    deadlines.stop()
    let now = ContinuousClock.now
    let overdue = calls.filter { $0.value.deadline.map { $0 <= now } ?? false }
    for streamID in overdue.keys { endEarly(streamID, .deadlineExceeded) }
    let next = calls.min { left, right in
      guard let leftDeadline = left.value.deadline else { return false }
      return right.value.deadline.map { leftDeadline < $0 } ?? true
    }
    if let next, let deadline = next.value.deadline { limit(next.key, to: deadline) }
  }
}

/// One timer for all calls of a connection, at the earliest of their deadlines. A call that is over leaves
/// it as it is: most are long before, and a timer for each would cost more than they do.
struct DeadlineTimer {
  private var deadline: ContinuousClock.Instant?
  private var timer: Scheduled<Void>?

  /// Whether the timer would come too late for this.
  func isEarlier(_ other: ContinuousClock.Instant) -> Bool { deadline.map { other < $0 } ?? true }

  mutating func set(
    to deadline: ContinuousClock.Instant, on eventLoop: any EventLoop,
    _ fire: @escaping @Sendable () -> Void
  ) {
    timer?.cancel()
    self.deadline = deadline
    // A peer may ask for any number of nanoseconds; a year is as good as for ever.
    let delay = TimeAmount(min(deadline - .now, .longest))
    timer = eventLoop.scheduleTask(in: delay, fire)
  }

  mutating func stop() {
    timer?.cancel()
    timer = nil
    deadline = nil
  }
}
