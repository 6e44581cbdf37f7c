internal import ArgumentParser
internal import MockupClient

/// How to reach the server, and how to say what it answers.
struct Connection: ParsableArguments {
  @OptionGroup var server: ServerAddress

  @Option(help: "A table for people, or json for programs.")
  var output = OutputFormat.table

  @Option(help: "Seconds to wait for the answer.")
  var timeout = Seconds.forOneAnswer

  /// Runs a command with a client.
  ///
  /// A person who waits is told at once what is wrong, so nothing is sent twice.
  ///
  /// - Throws: `ExitCode`, after a line on standard error.
  func run(_ body: (MockupClient) async throws -> Void) async throws {
    try await Self.run(at: server, timeout: timeout.duration, body)
  }

  /// The same for a command that has options of its own.
  static func run(
    at server: ServerAddress, timeout: Duration?, _ body: (MockupClient) async throws -> Void
  ) async throws {
    let configuration = MockupClient.Configuration(timeout: timeout, retry: .never)
    do {
      try await MockupClient.withConnection(
        to: .unixSocket(path: server.path), configuration: configuration, body)
    } catch let error as RPCError {
      let isDefect = error.code == .internalError || error.code == .unknown
      let line = isDefect ? error.description : error.message
      Complaint([line], exitCode: error.code.exitCode).write()
      throw ExitCode(error.code.exitCode)
    } catch let complaint as Complaint {
      complaint.write()
      throw ExitCode(complaint.exitCode)
    }
  }
}
