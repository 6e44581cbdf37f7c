internal import ArgumentParser
internal import MockupClient
internal import StandardStreams

/// How to reach the server, and how to write its answers.
struct Connection: ParsableArguments {
  @OptionGroup var server: ServerAddress

  @Option(help: "A table for people, or json for programs.")
  var output = OutputFormat.table

  @Option(parsing: .unconditional, help: "Seconds to wait for an answer.")
  var timeout = Seconds.forOneAnswer

  /// Runs a command with a client.
  ///
  /// A person who waits is told at once what is wrong, so nothing is retried.
  ///
  /// - Throws: `CommandError`; what the command throws.
  func run(_ body: (MockupClient) async throws -> Void) async throws {
    try await Self.run(at: server, timeout: timeout.duration, body)
  }

  /// Runs a command that has an effect of its own under an id.
  ///
  /// An id that the user did not give is printed before the call, and every error names the id: with it
  /// a command whose outcome is unknown can be repeated without a second effect.
  ///
  /// - Throws: `CommandError`; what the command throws.
  func run(under key: IdempotencyKey, _ body: (MockupClient) async throws -> Void) async throws {
    if !key.isGiven { await StandardError.write(line: "mockupctl: \(key.hint)") }
    do {
      try await run(body)
    } catch let error as CommandError {
      throw error.adding(key.hint)
    }
  }

  /// Runs a command that has options of its own.
  static func run(
    at server: ServerAddress, timeout: Duration?, _ body: (MockupClient) async throws -> Void
  ) async throws {
    let configuration = MockupClient.Configuration(timeout: timeout, retry: .never)
    do {
      try await MockupClient.withConnection(
        to: .unixSocket(path: try server.path), configuration: configuration, body)
    } catch let error as RPCError {
      throw CommandError(answer: error)
    }
  }
}
