internal import ArgumentParser
internal import Foundation
internal import MockupClient

/// How to reach the server, and how to say what it answers.
struct Connection: ParsableArguments {
  @Option(help: "The server's socket. (default: $MOCKUPD_SOCKET_PATH or /run/mockupd/mockupd.sock)")
  var socket: String?

  @Option(help: "A table for people, or json for programs.")
  var output = OutputFormat.table

  @Option(help: "Seconds to wait for the answer.")
  var timeout: Double = 10

  func validate() throws {
    guard timeout > 0, timeout <= 86_400 else {
      throw ValidationError("--timeout is a number of seconds up to 86400.")
    }
  }

  private var path: String {
    socket ?? ProcessInfo.processInfo.environment["MOCKUPD_SOCKET_PATH"]
      ?? "/run/mockupd/mockupd.sock"
  }

  /// Runs a command with a client.
  ///
  /// A person who waits is told at once what is wrong, so nothing is sent twice.
  ///
  /// - Throws: `ExitCode`, after a line on standard error.
  func run(_ body: (MockupClient) async throws -> Void) async throws {
    let configuration = MockupClient.Configuration(timeout: .seconds(timeout), retry: .never)
    do {
      try await MockupClient.withConnection(
        to: .unixSocket(path: path), configuration: configuration, body)
    } catch let error as RPCError {
      var line = "mockupctl: \(error.message)"
      if error.code == .internalError || error.code == .unknown { line = "mockupctl: \(error)" }
      FileHandle.standardError.write(Data("\(line)\n".utf8))
      throw ExitCode(error.code.exitCode)
    }
  }
}

extension StatusCode {
  /// What the shell is told, by sysexits.h where it has a word for it.
  var exitCode: Int32 {
    switch self {
    case .ok: 0
    case .failedPrecondition, .alreadyExists, .aborted: 1
    case .notFound: 3
    case .invalidArgument, .outOfRange: 64
    case .unavailable: 69
    case .resourceExhausted, .deadlineExceeded, .cancelled: 75
    case .permissionDenied, .unauthenticated: 77
    case .unknown, .unimplemented, .internalError, .dataLoss: 70
    }
  }
}
