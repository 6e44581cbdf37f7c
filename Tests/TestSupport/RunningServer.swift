public import Foundation
public import Postgres

/// A mockupd of a test's own, started and ready.
public struct RunningServer: Sendable {
  /// Where it listens.
  public let socket: String
  public let process: RunningProgram

  /// A server that was started in another way.
  public init(socket: String, process: RunningProgram) {
    self.socket = socket
    self.process = process
  }

  /// Starts `mockupd serve` and waits until it says that it is ready.
  ///
  /// - Parameters:
  ///   - socket: Where to listen; a name in the folder where nothing else is said.
  ///   - listener: What listens there already, for the server to take over.
  ///   - settings: Environment variables.
  ///   - errors: Where it logs; `nil`: to a file.
  ///   - folder: For the socket, and for what the server writes.
  public static func start(
    on database: PostgresConfiguration, socket: String? = nil,
    inheriting listener: RawListener? = nil, arguments: [String] = [],
    settings: [String: String] = [:], errors: FileHandle? = nil, folder: String
  ) async throws -> RunningServer {
    let socket = socket ?? "\(folder)/socket"
    // No limit in time but those that a test is about: the machine may be slow.
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

  /// Asks it to stop and waits for its end.
  public func stop(by signal: Int32 = SIGTERM) async -> Program.Ending {
    process.signal(signal)
    return await process.ending()
  }
}

extension MigratedDatabase {
  /// Runs a closure beside a server on this database, and stops the server.
  ///
  /// - Throws: Also where the server has failed, or does not stop as it should.
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
