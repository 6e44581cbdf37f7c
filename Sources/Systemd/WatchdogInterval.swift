internal import Glibc

/// How often a manager wants to hear that its service is alive, as sd_watchdog_enabled(3) describes it.
/// One that is silent for longer is killed.
public struct WatchdogInterval: Sendable, Hashable {
  /// The longest silence that is borne.
  public let duration: Duration

  /// How often to speak, so that one message may come late.
  public var half: Duration { duration / 2 }

  /// Reads `WATCHDOG_USEC` and `WATCHDOG_PID`, once: they are gone afterwards. Call it before there are
  /// threads that read the environment.
  ///
  /// - Returns: Nothing where nobody listens for this process.
  /// - Throws: Where the variables are for this process and make no sense.
  public static func take() throws(SystemdError) -> WatchdogInterval? {
    try WatchdogInterval(
      environment: EnvironmentVariable.take(["WATCHDOG_USEC", "WATCHDOG_PID"]),
      processID: getpid())
  }

  init?(environment: [String: String], processID: Int32) throws(SystemdError) {
    guard let microseconds = environment["WATCHDOG_USEC"] else { return nil }
    if let addressee = environment["WATCHDOG_PID"] {
      guard let addresseeID = Int32(addressee), addresseeID > 0 else {
        throw .malformed("WATCHDOG_PID", addressee, "which is no process")
      }
      guard addresseeID == processID else { return nil }
    }
    guard let number = Int64(microseconds), number > 0 else {
      throw .malformed("WATCHDOG_USEC", microseconds, "which is no time in microseconds")
    }
    duration = .microseconds(number)
  }
}
