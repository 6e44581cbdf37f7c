internal import Glibc

/// What a service tells its manager, as sd_notify(3) lists it.
public enum Notification: Sendable, Hashable {
  /// It has started, or has read its settings again.
  case ready
  /// It reads its settings again. ``ready`` says when it is done.
  case reloading
  /// It has begun to stop.
  case stopping
  /// It is alive. See ``WatchdogInterval``.
  case watchdog
  /// How it is, in a line for people.
  case status(String)

  /// - Parameter now: The monotonic clock, in microseconds. By it the manager tells this reload from an
  ///   earlier one.
  func lines(now: UInt64) -> String {
    switch self {
    case .ready: "READY=1"
    case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(now)"
    case .stopping: "STOPPING=1"
    case .watchdog: "WATCHDOG=1"
    // A line break would begin another assignment.
    case .status(let text):
      "STATUS=" + text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
  }

  /// CLOCK_MONOTONIC, which systemd goes by.
  static var now: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
  }
}
