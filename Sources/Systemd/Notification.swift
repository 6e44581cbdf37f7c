internal import Glibc

/// A notification from a service to the service manager.
///
/// Source: sd_notify(3).
public enum Notification: Sendable, Hashable {
  /// The service has started, or has finished reloading its settings (`READY=1`).
  case ready
  /// The service has begun to reload its settings, and sends ``ready`` when it is done.
  case reloading
  /// The service has begun to stop (`STOPPING=1`).
  case stopping
  /// The service is alive (`WATCHDOG=1`); see ``WatchdogInterval``.
  case watchdog
  /// A one-line description of the service's state, for people (`STATUS=`).
  case status(String)

  /// Returns the assignments that are sent for the notification.
  ///
  /// - Parameter now: The monotonic clock, in microseconds. The manager uses it to tell this reload
  ///   from an earlier one.
  func lines(now: UInt64) -> String {
    switch self {
    case .ready: "READY=1"
    case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(now)"
    case .stopping: "STOPPING=1"
    case .watchdog: "WATCHDOG=1"
    // A line break would start another assignment.
    case .status(let text):
      "STATUS=" + text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
  }

  /// The current value of `CLOCK_MONOTONIC`, the clock that systemd uses, in microseconds.
  static var now: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
  }
}
