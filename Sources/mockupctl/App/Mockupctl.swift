internal import ArgumentParser
internal import MockupVersion
internal import StandardStreams

@main
struct Mockupctl: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mockupctl",
    abstract: "Manage mockup credits, mockups and scenes.",
    discussion: """
      Connects to mockupd on the Unix socket that --socket or MOCKUPD_SOCKET_PATH names.

      Tables and errors escape control characters of texts, as in \\n or \\u{1b}. JSON has the \
      texts unchanged. So has CSV, with an apostrophe before a text that a spreadsheet would take \
      for a formula.

      On a terminal, tables cut long texts to fit into its width (COLUMNS overrides it), headings \
      are bold unless NO_COLOR is set, and long work shows its progress.

      Exit codes: 0 success; 1 refused (too few credits, or a state that forbids the command); \
      3 not found; 64 invalid command line or value; 69 the server or its database is unavailable; \
      70 internal error; 74 standard input or output failed; 75 timeout or overload; 77 permission \
      denied; 141 the reader of standard output has closed it.
      """,
    version: Version.text,
    subcommands: [
      Reserve.self, Dispatch.self, Extend.self, Commit.self, Release.self, Refund.self,
      ShowReservation.self, ReservationsCommand.self, Usage.self, UsageHistory.self,
      Report.self,
      LedgerCommand.self,
      Generate.self, MockupsCommand.self, PerformanceCommand.self, ScenesCommand.self,
      Budget.self, Stuck.self, AlertsCommand.self, Info.self, Health.self, Completions.self,
    ])

  static func main() async {
    await runProgram(
      parse: { try parse(Array(CommandLine.arguments.dropFirst())) },
      commandError: { CommandError(thrown: $0) })
  }

  /// Parses arguments as a command.
  ///
  /// The parser takes a negative number for an unknown option. If that fails, arguments such as
  /// `-5` are moved behind `--` and parsed again: the error then names the argument with the
  /// number.
  static func parse(_ arguments: [String]) throws -> any ParsableCommand {
    let attempts = [
      arguments, arguments.movingNegativeNumbers(afterOptions: false),
      arguments.movingNegativeNumbers(afterOptions: true),
    ]
    for attempt in attempts.dropLast() {
      do {
        return try parseAsRoot(attempt)
      } catch
        where message(for: error).contains(/^(Unknown option '-[0-9.]|Missing expected argument)/)
      {
        continue
      }
    }
    return try parseAsRoot(attempts.last)
  }
}

extension [String] {
  /// Returns the arguments with the negative numbers moved behind a `--` at the end.
  ///
  /// - Parameter afterOptions: Moves numbers that directly follow an option, too.
  fileprivate func movingNegativeNumbers(afterOptions: Bool) -> [String] {
    let end = firstIndex(of: "--") ?? endIndex
    var kept: [String] = []
    var moved: [String] = []
    for argument in self[..<end] {
      let isNumber = argument.contains(/^-[0-9.]/)
      if isNumber, afterOptions || kept.last?.hasPrefix("-") != true {
        moved.append(argument)
      } else {
        kept.append(argument)
      }
    }
    return moved.isEmpty ? self : kept + ["--"] + moved + self[end...].dropFirst()
  }
}
