internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct VerifyLedger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Recompute the balances from the ledger, and show the discrepancies.",
    discussion: """
      Exits with 1 if there are discrepancies. The verification locks nothing, and requires the \
      role admin.
      """)

  @Argument(help: "The user's id. (default: all users)")
  var user: UUID?

  @Option(help: "The output format: a table for people, or JSON for programs.")
  var output = OutputFormat.table

  @Option(
    parsing: .unconditional, help: "Time limit of the verification in seconds. (default: none)")
  var timeout: Seconds?

  @OptionGroup var server: ServerAddress

  func run() async throws {
    try await Connection.run(at: server, timeout: timeout?.duration) { client in
      var found: [Record] = []
      var verified: Int64 = 0
      try await client.admin.verifyLedger(of: user, timeout: timeout?.duration) { answers in
        for try await answer in answers {
          verified = answer.usersVerified
          if let discrepancy = answer.discrepancy { found.append(Record(discrepancy)) }
        }
      }
      try await output.write(
        found, named: "discrepancies", below: Record(["users_verified": .number(verified)]))
      if !found.isEmpty { throw ExitCode(1) }
    }
  }
}
