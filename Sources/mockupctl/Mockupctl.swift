internal import ArgumentParser

@main
struct Mockupctl: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mockupctl",
    abstract: "Asks and changes the books of mockup credits.",
    discussion: """
      Talks to the mockupd whose socket --socket or MOCKUPD_SOCKET_PATH names.

      Exit codes: 0 done; 1 refused (too few credits, or a state that forbids it); 3 not found; \
      64 a mistake on the command line or in a value; 69 the server or its database is away; \
      70 a defect; 74 standard input or output fails; 75 no answer in time, or too busy; 77 not \
      permitted.
      """,
    subcommands: [
      Reserve.self, Dispatch.self, Extend.self, Commit.self, Release.self, RefundCharge.self,
      ShowReservation.self, ReservationCommands.self, Usage.self, LedgerCommands.self,
      Generate.self, MockupsCommand.self, PerformanceCommands.self, SceneCommands.self,
      Budget.self, ServerInfo.self,
      Call.self, Describe.self, Health.self, Completions.self,
    ])
}
