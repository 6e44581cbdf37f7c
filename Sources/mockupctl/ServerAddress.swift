internal import ArgumentParser
internal import Foundation
internal import TTRPC

/// Where the server listens.
struct ServerAddress: ParsableArguments {
  @Option(
    help: "The server's socket. (default: $MOCKUPD_SOCKET_PATH or /run/mockupd/mockupd.sock)",
    completion: .file())
  var socket: String?

  var path: String {
    socket ?? ProcessInfo.processInfo.environment["MOCKUPD_SOCKET_PATH"]
      ?? "/run/mockupd/mockupd.sock"
  }

  /// Runs a command with a client for services of any kind.
  ///
  /// - Throws: `ExitCode`, after what is wrong was said on standard error.
  func withClient(_ body: (Client) async throws -> Void) async throws {
    let client = Client(path: path)
    do {
      try await body(client)
      await client.close()
    } catch {
      await client.close()
      guard let complaint = Complaint(thrown: error) else { throw error }
      complaint.write()
      throw ExitCode(complaint.exitCode)
    }
  }
}

/// A number of seconds on the command line: above 0, and a day at most.
struct Seconds: ExpressibleByArgument, CustomStringConvertible {
  /// How long people wait for one answer where they say nothing else.
  static let forOneAnswer = Seconds(count: 10)

  private let count: Double

  private init(count: Double) {
    self.count = count
  }

  init?(argument: String) {
    guard let count = Double(argument), count > 0, count <= 86_400 else { return nil }
    self.count = count
  }

  var duration: Duration { .seconds(count) }

  var description: String { count.formatted(.number.grouping(.never)) }
  var defaultValueDescription: String { description }
}
