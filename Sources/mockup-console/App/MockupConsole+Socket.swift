internal import Foundation
internal import StandardStreams

extension MockupConsole {
  /// Returns the path of mockupd's socket: the option, the environment variable, or the default.
  ///
  /// - Throws: `CommandError` if the path is empty.
  static func path(_ option: String?) throws(CommandError) -> String {
    let variable = "MOCKUPD_SOCKET_PATH"
    let path =
      option ?? ProcessInfo.processInfo.environment[variable] ?? "/run/mockupd/mockupd.sock"
    guard !path.isEmpty else {
      throw CommandError(
        "\(option == nil ? variable : "--socket") is empty", exitCode: CommandError.usage)
    }
    return path
  }
}
