internal import Glibc

/// A variable by which systemd talks to a program. It is meant for one process: once read it is unset,
/// so that no child takes it for its own.
enum EnvironmentVariable {
  /// Reads variables and unsets them, those that are not set left out.
  static func take(_ names: [String]) -> [String: String] {
    var values: [String: String] = [:]
    for name in names {
      if let value = unsafe getenv(name) { values[name] = unsafe String(cString: value) }
      unsafe unsetenv(name)
    }
    return values
  }
}

/// What systemd handed on makes no sense, or it cannot be told.
public struct SystemdError: Error, Sendable, Hashable, CustomStringConvertible {
  public let description: String

  /// A variable's value is not what it can be.
  static func malformed(_ name: String, _ value: String, _ reason: String) -> SystemdError {
    SystemdError(description: "\(name) is \"\(value)\", \(reason)")
  }
}
