internal import Logging
internal import NIOCore

extension ServerConnectionHandler {
  /// Starts to close the connection if the peer stops within a frame, does not read, or is idle.
  ///
  /// A timer checks the connection at a quarter of the shortest timeout.
  func startWatch(_ context: ChannelHandlerContext) {
    let shortest = min(
      limits.frameTimeout, limits.writeTimeout, limits.idleTimeout ?? limits.frameTimeout)
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
    // The peer has read something, so the write timeout starts again.
    if queuedBytesReported < queuedBefore, unwritableSince != nil { unwritableSince = now }
    if let frameBegan, now - frameBegan > TimeAmount(limits.frameTimeout) {
      logger.notice(
        "closing connection: a frame was not complete within \(limits.frameTimeout)")
      close()
    } else if let unwritableSince, now - unwritableSince > TimeAmount(limits.writeTimeout) {
      logger.notice("closing connection: the peer has read nothing for \(limits.writeTimeout)")
      close()
    } else if let idleTimeout = limits.idleTimeout, calls.isEmpty,
      now - lastActivity > TimeAmount(idleTimeout)
    {
      logger.debug("closing connection: idle")
      close()
    }
  }
}

extension ServerConnectionHandler {
  /// Sets the deadline of a call.
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

/// A timer for the earliest deadline of a connection's calls.
///
/// The timer is not changed when a call ends. Most calls end long before their deadlines, and a
/// timer for each call would cost more than the call itself.
struct DeadlineTimer {
  private var deadline: ContinuousClock.Instant?
  private var timer: Scheduled<Void>?

  /// Returns whether a deadline is earlier than the timer's; true if no timer is set.
  func isEarlier(_ other: ContinuousClock.Instant) -> Bool { deadline.map { other < $0 } ?? true }

  mutating func set(
    to deadline: ContinuousClock.Instant, on eventLoop: any EventLoop,
    _ fire: @escaping @Sendable () -> Void
  ) {
    timer?.cancel()
    self.deadline = deadline
    // The peer may request any number of nanoseconds, which the event loop may not support.
    let delay = TimeAmount(min(deadline - .now, .longest))
    timer = eventLoop.scheduleTask(in: delay, fire)
  }

  mutating func stop() {
    timer?.cancel()
    timer = nil
    deadline = nil
  }
}
