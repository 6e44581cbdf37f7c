internal import ArgumentParser
internal import MockupClient
internal import StandardStreams

/// The options of a command that calls the server: address, output format and timeout.
struct Connection: ParsableArguments {
  @OptionGroup var server: ServerAddress

  @Option(help: OutputFormat.help)
  var output = OutputFormat.table

  @Option(parsing: .unconditional, help: "Seconds to wait for a response.")
  var timeout = Seconds.forOneAnswer

  /// Runs a command with a client.
  ///
  /// Calls are not retried, so that the user sees an error at once.
  ///
  /// - Throws: `CommandError` if a call fails; the errors of `body`.
  func run(_ body: (MockupClient) async throws -> Void) async throws {
    try await Self.run(at: server, timeout: timeout.duration, body)
  }

  /// Runs a command that has an effect under an idempotency key.
  ///
  /// A key that the user did not give is printed before the call, and each error of the call names
  /// the key: with it, the command can be repeated without a second effect.
  ///
  /// - Throws: `CommandError` if a call fails; the errors of `body`.
  func run(
    under key: IdempotencyKey, _ body: (MockupClient) async throws -> Void
  ) async throws {
    // Fails before the id is printed if there is no address to call.
    _ = try server.path
    if !key.isGiven { await StandardError.write(line: "mockupctl: \(key.hint)") }
    do {
      try await run(body)
    } catch let error as CommandError {
      throw error.adding(key.hint)
    }
  }

  /// Runs a command that has its own options in place of these.
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
