internal import ArgumentParser
internal import MockupClient
internal import StandardStreams

struct VerifyLedger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Recompute the balances from the ledger, and show the discrepancies.",
    discussion: """
      Exits with 1 if there are discrepancies. The verification locks nothing, and requires the \
      role admin.
      """)

  @Argument(help: "The user's id or label. (default: all users)")
  var user: UserArgument?

  @Option(help: OutputFormat.help)
  var output = OutputFormat.table

  @Option(
    parsing: .unconditional, help: "Time limit of the verification in seconds. (default: none)")
  var timeout: Seconds?

  @OptionGroup var server: ServerAddress

  func run() async throws {
    try await Connection.run(at: server, timeout: timeout?.duration) { client in
      var found: [Record] = []
      var verified: Int64 = 0
      let id = try await user?.id(client)
      var progress = Progress(writesOutput: false)
      do {
        try await client.admin.verifyLedger(of: id, timeout: timeout?.duration) { answers in
          for try await answer in answers {
            verified = answer.usersVerified
            if let discrepancy = answer.discrepancy {
              found.append(output == .table ? Record(row: discrepancy) : Record(discrepancy))
            }
            await progress.update("verified \(verified) users, found \(found.count) discrepancies")
          }
        }
      } catch {
        await progress.end()
        if !found.isEmpty { try await write(found, verified) }
        throw error
      }
      await progress.end()
      try await write(found, verified)
      if !found.isEmpty { throw ExitCode(1) }
    }
  }

  private func write(_ discrepancies: [Record], _ verified: Int64) async throws(CommandError) {
    try await output.write(
      discrepancies, named: "discrepancies", columns: Record(Discrepancy()),
      below: Record(["users_verified": .number(verified)]))
  }
}
