public import Foundation
public import Postgres

/// A mockupd that a test has started, and that is ready.
public struct RunningServer: Sendable {
  /// The path of its socket.
  public let socket: String
  /// The process of mockupd.
  public let process: RunningProgram

  /// Creates the description of a server that was started in another way.
  public init(socket: String, process: RunningProgram) {
    self.socket = socket
    self.process = process
  }

  /// Starts `mockupd serve` and waits until it reports that it is ready.
  ///
  /// - Parameters:
  ///   - socket: The path of the socket; `nil` for one in the folder.
  ///   - listener: A listening socket for the server to inherit.
  ///   - settings: Environment variables.
  ///   - errors: The file for the log; `nil` for one in the folder.
  ///   - folder: A folder for the socket and the output of the server.
  public static func start(
    on database: PostgresConfiguration, socket: String? = nil,
    inheriting listener: RawListener? = nil, arguments: [String] = [],
    settings: [String: String] = [:], errors: FileHandle? = nil, folder: String
  ) async throws -> RunningServer {
    let socket = socket ?? "\(folder)/socket"
    // Time limits are long, except those that a test sets: the machine may be slow.
    let limits =
      ["DATABASE_CONNECT", "DATABASE_STATEMENT"]
      + ["DEFAULT_CALL", "FRAME", "WRITE", "SHUTDOWN"].map { "LIMITS_\($0)" }
    var environment = ["MOCKUPD_DATABASE_URL": database.url, "MOCKUPD_LOG_LEVEL": "warning"]
    for limit in limits {
      environment["MOCKUPD_\(limit)_TIMEOUT_SECONDS"] = "\(testTimeout.components.seconds)"
    }
    environment.merge(settings) { $1 }
    let process: RunningProgram
    if let listener {
      process = try Program.mockupd.start(
        inheriting: listener, ["serve"] + arguments, environment: environment, folder: folder)
    } else {
      process = try Program.mockupd.start(
        ["serve", "--socket", socket] + arguments, environment: environment, errors: errors,
        folder: folder)
    }
    let server = RunningServer(socket: socket, process: process)
    try await server.waitUntilReady()
    return server
  }

  private func waitUntilReady() async throws {
    do {
      try await eventually("mockupd is ready") {
        if process.output == "ready \(socket)\n" { return true }
        if let ending = process.knownEnding {
          throw Program.Failure(description: "mockupd did not start: \(ending)")
        }
        return false
      }
    } catch {
      process.signal(SIGKILL)
      throw error
    }
  }

  /// Sends the process a signal, and waits until it ends.
  public func stop(by signal: Int32 = SIGTERM) async -> Program.Ending {
    process.signal(signal)
    return await process.ending()
  }
}

extension MigratedDatabase {
  /// Runs a closure with a server on this database, and stops the server.
  ///
  /// - Throws: `Program.Failure` if the server does not start, or exits with an error; the errors
  ///   of the closure.
  public func withServer<Value>(
    arguments: [String] = [], settings: [String: String] = [:],
    _ body: (RunningServer) async throws -> Value
  ) async throws -> Value {
    try await withTemporaryFolder { folder in
      let server = try await RunningServer.start(
        on: service, arguments: arguments, settings: settings, folder: folder)
      let value: Value
      do {
        value = try await body(server)
      } catch {
        _ = await server.stop(by: SIGKILL)
        throw error
      }
      let ending = await server.stop()
      guard ending.exitCode == 0 else {
        throw Program.Failure(description: "mockupd did not stop cleanly: \(ending)")
      }
      return value
    }
  }
}
