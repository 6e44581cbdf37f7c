internal import NIOCore

/// A timer for the earliest deadline of a connection's calls.
///
/// The timer is not changed when a call ends. Most calls end long before their deadlines, and a
/// timer for each call would cost more than the call itself.
struct DeadlineTimer {
  private var deadline: NIODeadline?
  private var timer: Scheduled<Void>?

  /// Returns whether a deadline is earlier than the timer's; true if no timer is set.
  func isEarlier(_ other: NIODeadline) -> Bool { deadline.map { other < $0 } ?? true }

  mutating func set(
    to deadline: NIODeadline, on eventLoop: any EventLoop, _ fire: @escaping @Sendable () -> Void
  ) {
    timer?.cancel()
    self.deadline = deadline
    timer = eventLoop.scheduleTask(deadline: deadline, fire)
  }

  mutating func stop() {
    timer?.cancel()
    timer = nil
    deadline = nil
  }
}
