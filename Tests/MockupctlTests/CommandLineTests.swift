import ArgumentParser
import Testing

@testable import mockupctl

/// The parsing of the command line.
@Suite struct CommandLineTests {
  private static let user = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
  private static let other = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

  private static let numbers: [(command: [String], argument: String)] =
    [
      (["budget", user], ["--annual", "--monthly", "--timeout"]),
      (["reserve", user, "1"], ["--time-to-live", "--timeout"]),
      (["dispatch", user, other], ["--time-to-live"]),
      (["extend", user, other], ["--time-to-live"]),
      (["commit", user, other], ["--credits"]),
      (["refund", user, other], ["--credits"]),
      (["reservations", "list", user], ["--limit"]),
      (["reservations", "resolve", user, other], ["--credits"]),
      (["usage", user], ["--year", "--month"]),
      (["ledger", "show", user], ["--year", "--month", "--limit"]),
      (["ledger", "export", user], ["--year"]),
      (["ledger", "verify"], ["--timeout"]),
      (["generate", user, "--asset", other, "--scene", "s"], ["--credits", "--time-to-live"]),
      (["mockups", "list", user], ["--limit"]),
      (["mockups", "regenerate", user, other], ["--credits"]),
      (["mockups", "claim", "--worker", "w"], ["--count", "--lease", "--wait"]),
      (["mockups", "heartbeat", user, other], ["--attempt", "--lease"]),
      (
        ["mockups", "complete", user, other, "--file-url", "u", "--file-key", "k"],
        ["--attempt", "--credits"]
      ),
      (["mockups", "fail", user, other, "--message", "m"], ["--attempt"]),
      (["performance", "record", user, other], ["--pins", "--impressions"]),
      (["health"], ["--timeout"]),
    ].flatMap { command, options in options.map { (command, $0) } }

  @Test(arguments: numbers)
  func `the error for a negative number names the option and the value`(
    _ command: [String], _ option: String
  ) throws {
    for value in ["-5", "-12", "-1.5"] {
      let error = try #require(throws: (any Error).self) {
        try Mockupctl.parse(command + [option, value])
      }
      let message = Mockupctl.message(for: error)
      #expect(message.contains(option) && message.contains(value), "\(message)")
      #expect(message.contains("invalid"), "\(message)")
      #expect(Mockupctl.exitCode(for: error) == .validationFailure)
    }
  }

  @Test(arguments: [["alerts", "watch", "--after", ""], ["mockups", "watch", user, "--from", ""]])
  func `a watch refuses an empty token, which would begin now`(_ arguments: [String]) throws {
    let error = try #require(throws: (any Error).self) { try Mockupctl.parseAsRoot(arguments) }
    let option = arguments[arguments.count - 2]
    #expect(Mockupctl.message(for: error).contains("\(option) has no token"))
  }

  @Test(arguments: [
    ["reserve", user, "-5"], ["reserve", user, "-5", "--output", "json"],
    ["reserve", user, "--check", "-5"], ["reserve", user, "--id", other, "-5"],
    ["reserve", user, "--", "-5"],
  ])
  func `the error for a negative number of credits names the argument`(_ arguments: [String]) throws
  {
    let error = try #require(throws: (any Error).self) { try Mockupctl.parse(arguments) }
    #expect(
      Mockupctl.message(for: error)
        == "The value '-5' is invalid for '<credits>': it must be at least 1")
  }

  @Test func `the help of each list states the default limit`() {
    let commands: [any ParsableCommand.Type] = [
      ListReservations.self, ShowLedger.self, ListMockups.self, ListAlerts.self,
    ]
    for command in commands {
      let help = Mockupctl.helpMessage(for: command).split(whereSeparator: \.isWhitespace)
      #expect(help.joined(separator: " ").contains("all. (default: 50)"), "\(help)")
    }
  }

  @Test(arguments: [
    (["reserve", user, "many"], "'<credits>': it must be a whole number"),
    (["reserve", user, "1", "-5"], "-5"),
    (["usage", "-5"], "The value '-5' is invalid for '<user>'"),
    (["usage", user, "--no-such-option", "-5"], "Unknown option '--no-such-option'"),
    (["usage", user, "-x"], "Unknown option '-x'"),
    (["reserve", user, "2147483648"], "it must be a whole number of at most 2147483647"),
    (["budget", user, "--annual", "2147483648"], "a whole number of at most 2147483647"),
    (
      ["usage-history", user, "--from", "2026-02-01", "--through", "2026-01-31"],
      "--through is before --from"
    ),
    (["usage-history", user, "--from", "9999-01-01"], "--from is after today"),
    (["scenes", "list", "--own"], "--own requires a user"),
  ])
  func `other mistakes have their usual messages`(_ arguments: [String], _ expected: String) throws
  {
    let error = try #require(throws: (any Error).self) { try Mockupctl.parse(arguments) }
    #expect(Mockupctl.message(for: error).contains(expected), "\(Mockupctl.message(for: error))")
  }

  @Test func `options for which negative numbers make sense accept them`() throws {
    let usage = try #require(
      try Mockupctl.parse(["usage", "--available-at-most", "-5"]) as? Usage)
    #expect(usage.availableAtMost == -5)
    let scene = try Mockupctl.parse([
      "scenes", "create", Self.user, "s", "t", "--position", "-1,-2", "--rotation", "-90",
    ])
    #expect((scene as? CreateScene)?.placement.rotation == -90)
  }
}
