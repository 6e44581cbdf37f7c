public import ArgumentParser
internal import Dispatch
internal import Glibc
internal import VisibleText

extension AsyncParsableCommand {
  /// Runs the command that the command line names, and ends the process.
  ///
  /// In contrast to `main()`, output that cannot be written is an error, `--help` and `--version`
  /// included, and hidden characters in an error are written visibly.
  ///
  /// - Parameters:
  ///   - parse: Finds the command.
  ///   - errorTime: How long the error may take to be written; `nil`: as long as it takes.
  ///   - commandError: Words an error as one of the command; `nil` leaves it to the parser.
  public static func runProgram(
    parse: () throws -> any ParsableCommand = { try parseAsRoot() },
    errorTime: Duration? = nil,
    commandError: (any Error) -> CommandError? = { _ in nil }
  ) async -> Never {
    StandardDescriptors.openClosedOnes()
    StandardDescriptors.ignoreBrokenPipes()
    do {
      try await run(parse)
      try await StandardOutput.close()
      Glibc.exit(0)
    } catch {
      let text: String
      let code: Int32
      if let error = error as? CommandError ?? commandError(error) {
        text =
          error.lines.isEmpty
          ? "" : "\(Self._commandName): \(error.lines.joined(separator: "\n"))"
        code = error.exitCode
      } else {
        text = visible(fullMessage(for: error), of: error)
        code = exitCode(for: error).rawValue
      }
      if !text.isEmpty { await write(error: text, within: errorTime) }
      Glibc.exit(code)
    }
  }

  private static func run(_ parse: () throws -> any ParsableCommand) async throws {
    do {
      var command = try parse()
      if var asyncCommand = command as? any AsyncParsableCommand {
        try await asyncCommand.run()
      } else {
        try command.run()
      }
    } catch let error where !(error is CommandError) && exitCode(for: error) == .success {
      // What was asked for is a text, such as the help.
      try await StandardOutput.write(line: fullMessage(for: error))
    } catch let error as ExitCode {
      // The command has answered.
      try await StandardOutput.close()
      throw error
    }
  }

  /// The parser's own messages have lines; further lines of another error are indented, so that none
  /// can pass for an error of its own.
  private static func visible(_ text: String, of error: any Error) -> String {
    let text = text.visible(keeping: ["\n"])
    return exitCode(for: error) == .validationFailure ? text : text.replacing("\n", with: "\n  ")
  }

  private static func write(error text: String, within limit: Duration?) async {
    guard let limit else { return await StandardError.write(line: text) }
    let writer = LineWriter(STDERR_FILENO)
    writer.write(text)
    _ = await writer.flush(within: limit)
  }
}
