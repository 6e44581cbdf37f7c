internal import Glibc

/// Access to the environment variables that systemd sets for one process.
enum EnvironmentVariable {
  /// Reads variables and unsets them, so that child processes do not act on them.
  ///
  /// - Returns: The values of the variables that are set, by name.
  static func take(_ names: [String]) -> [String: String] {
    var values: [String: String] = [:]
    for name in names {
      if let value = unsafe getenv(name) { values[name] = unsafe String(cString: value) }
      unsafe unsetenv(name)
    }
    return values
  }
}

/// An error in a variable that systemd set, or in sending a notification to systemd.
public struct SystemdError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The message for people, which contains the variable's value or the system's reason.
  public let description: String

  /// Returns the error for a variable with an invalid value.
  static func malformed(_ name: String, _ value: String, _ reason: String) -> SystemdError {
    SystemdError(description: "invalid \(name) \"\(value)\": \(reason)")
  }
}
