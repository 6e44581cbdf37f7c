internal import ArgumentParser
internal import Foundation
internal import StandardStreams
internal import TTRPC

/// The address of the server.
struct ServerAddress: ParsableArguments {
  @Option(
    help: "The server's Unix socket. (default: $MOCKUPD_SOCKET_PATH or /run/mockupd/mockupd.sock)",
    completion: .file())
  var socket: String?

  private static let variable = "MOCKUPD_SOCKET_PATH"

  /// The path of the socket: the option, the environment variable, or the default.
  ///
  /// - Throws: `CommandError` if the path is empty.
  var path: String {
    get throws(CommandError) {
      let variable = ProcessInfo.processInfo.environment[Self.variable]
      let path = socket ?? variable ?? "/run/mockupd/mockupd.sock"
      guard !path.isEmpty else {
        let name = socket == nil ? Self.variable : "--socket"
        throw CommandError("\(name) is empty", exitCode: CommandError.usage)
      }
      return path
    }
  }

  /// Runs a command with a client for any service.
  ///
  /// - Throws: `CommandError` if the path is empty; the errors of `body`.
  func withClient(_ body: (Client) async throws -> Void) async throws {
    let client = Client(path: try path)
    do {
      try await body(client)
      await client.close()
    } catch {
      await client.close()
      throw error
    }
  }
}
