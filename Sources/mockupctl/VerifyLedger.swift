internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct VerifyLedger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Recompute the books from their rows, and show what differs.",
    discussion: "The exit code is 1 where something does. It locks nothing, and takes an admin.")

  @Argument(help: "The user's id. (default: all users)")
  var user: UUID?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      var found: [Record] = []
      var verified: Int64 = 0
      try await client.admin.verifyLedger(of: user) { answers in
        for try await answer in answers {
          verified = answer.usersVerified
          if let discrepancy = answer.discrepancy { found.append(Record(discrepancy)) }
        }
      }
      try connection.output.write(
        found, named: "discrepancies", below: Record(["users_verified": .number(verified)]))
      if !found.isEmpty { throw ExitCode(1) }
    }
  }
}
