public import ArgumentParser
internal import Dispatch
internal import Glibc
internal import VisibleText

extension AsyncParsableCommand {
  /// Runs the command that the command line names, and exits the process.
  ///
  /// It differs from `main()` in three ways. Output that cannot be written, `--help` and
  /// `--version` included, is an error. Hidden characters in error messages are escaped. An
  /// ``ErrorWithExitCode`` has the exit code that it states.
  ///
  /// - Parameters:
  ///   - parse: Parses the command line and returns the command.
  ///   - errorTime: The time limit for writing the error message, or nil for no limit.
  ///   - commandError: Converts an error that `run()` throws, or returns nil to use the parser's
  ///     message and exit code.
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
        code = (error as? any ErrorWithExitCode)?.exitCode ?? exitCode(for: error).rawValue
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
      // The parser "throws" the text of --help or --version.
      try await StandardOutput.write(line: fullMessage(for: error))
    } catch let error as ExitCode {
      // The command has written its output.
      try await StandardOutput.close()
      throw error
    }
  }

  /// Escapes hidden characters, and indents further lines unless the argument parser wrote them.
  ///
  /// The parser's own messages have several lines. In other errors, the indentation keeps a line
  /// from looking like a separate error.
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
