internal import ArgumentParser
internal import StandardStreams

@main
struct Mockupctl: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mockupctl",
    abstract: "Asks and changes the ledger of mockup credits.",
    discussion: """
      Talks to the mockupd whose socket --socket or MOCKUPD_SOCKET_PATH names.

      Tables and errors show control characters of texts as \\n or \\u{1b}; JSON and CSV keep the data.

      Exit codes: 0 done; 1 refused (too few credits, or a state that forbids it); 3 not found; \
      64 a mistake on the command line or in a value; 69 the server or its database is unavailable; \
      70 a defect; 74 standard input or output fails; 75 no answer in time, or too busy; 77 not \
      permitted; 141 the reader of standard output has gone.
      """,
    subcommands: [
      Reserve.self, Dispatch.self, Extend.self, Commit.self, Release.self, RefundCharge.self,
      ShowReservation.self, ReservationCommands.self, Usage.self, LedgerCommands.self,
      Generate.self, MockupsCommand.self, PerformanceCommands.self, SceneCommands.self,
      Budget.self, ServerInfo.self,
      Call.self, Describe.self, Health.self, Completions.self,
    ])

  static func main() async {
    await runProgram(
      parse: { try parse(Array(CommandLine.arguments.dropFirst())) },
      commandError: { CommandError(thrown: $0) })
  }

  /// Finds the command of some arguments.
  ///
  /// The parser takes a negative number for an unknown option, so an argument such as `-5` is moved
  /// behind `--` when that has happened: the error then names the argument that it was given for.
  static func parse(_ arguments: [String]) throws -> any ParsableCommand {
    let ways = [
      arguments, arguments.movingNegativeNumbers(afterOptions: false),
      arguments.movingNegativeNumbers(afterOptions: true),
    ]
    for way in ways.dropLast() {
      do {
        return try parseAsRoot(way)
      } catch
        where message(for: error).contains(/^(Unknown option '-[0-9.]|Missing expected argument)/)
      {
        continue
      }
    }
    return try parseAsRoot(ways.last)
  }
}

extension [String] {
  /// The arguments with those that are negative numbers behind a `--` at the end.
  ///
  /// - Parameter afterOptions: Also those that stand right after an option.
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
