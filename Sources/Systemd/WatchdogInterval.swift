internal import Glibc

/// The interval within which a service must tell the service manager that it is alive.
///
/// The manager kills a service that does not send ``Notification/watchdog`` within the interval.
/// Source: sd_watchdog_enabled(3).
public struct WatchdogInterval: Sendable, Hashable {
  /// The maximum time between two notifications.
  public let duration: Duration

  /// The recommended time between two notifications, so that a late one does no harm.
  public var half: Duration { duration / 2 }

  /// Returns the interval and unsets `WATCHDOG_USEC` and `WATCHDOG_PID`.
  ///
  /// Call it once, before other threads read the environment.
  ///
  /// - Returns: The interval, or nil if the manager expects no watchdog notifications of this
  ///   process.
  /// - Throws: ``SystemdError`` if the variables are meant for this process and are invalid.
  public static func take() throws(SystemdError) -> WatchdogInterval? {
    try WatchdogInterval(
      environment: EnvironmentVariable.take(["WATCHDOG_USEC", "WATCHDOG_PID"]),
      processID: getpid())
  }

  init?(environment: [String: String], processID: Int32) throws(SystemdError) {
    guard let microseconds = environment["WATCHDOG_USEC"] else { return nil }
    if let addressee = environment["WATCHDOG_PID"] {
      guard let addresseeID = Int32(addressee), addresseeID > 0 else {
        throw .malformed("WATCHDOG_PID", addressee, "not a process id")
      }
      guard addresseeID == processID else { return nil }
    }
    guard let number = Int64(microseconds), number > 0 else {
      throw .malformed("WATCHDOG_USEC", microseconds, "not a positive number of microseconds")
    }
    duration = .microseconds(number)
  }
}
