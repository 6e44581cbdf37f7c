internal import NIOCore

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
