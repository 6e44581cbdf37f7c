internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ask for a mockup of each asset in each scene.",
    discussion: """
      The exit code is 1 if one of them could not be asked for. The request's id is printed to standard \
      error before the call, unless --id gives it: after a lost answer, the same command with that --id \
      does not ask twice.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Option(help: "An asset of the user; any number of times.")
  var asset: [UUID]

  @Option(help: "A scene's key; any number of times.")
  var scene: [String]

  @Option(help: "The request's id; the same id again gives the same answer. (default: a new one)")
  var id: UUID?

  @Flag(help: "Completed mockups are approved at once.")
  var skipApproval = false

  @Option(help: "A quote of the user that they are for.")
  var quote: UUID?

  @Option(
    parsing: .unconditional, help: "What each may cost, up to 1000.", transform: Int.atLeast(1))
  var credits = 1

  @Option(
    parsing: .unconditional, help: "Seconds that the credits stay set aside for each, up to 86400.",
    transform: Int.atLeast(1))
  var timeToLive = 86_400

  @OptionGroup var connection: Connection

  func run() async throws {
    let key = IdempotencyKey(id)
    try await connection.run(under: key) { client in
      let response = try await client.mockups.generate(
        for: user, assets: asset, scenes: scene, id: key.id, skipApproval: skipApproval,
        quote: quote, credits: credits, timeToLive: .seconds(timeToLive))
      try await connection.output.write(response.results.map { Record($0) })
      if response.results.contains(where: { !$0.success }) { throw ExitCode(1) }
    }
  }
}
