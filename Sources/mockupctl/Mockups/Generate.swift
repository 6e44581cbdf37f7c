internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Request a mockup of each asset in each scene.",
    discussion: """
      Exits with 1 if any of the mockups was not made. The id of the request is printed to \
      standard error before the call, unless --id gives it. If the response is lost, repeat the \
      command with that --id: it does not request the mockups twice.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Option(help: "An asset of the user; can be repeated.")
  var asset: [UUID]

  @Option(help: "The key of a scene; can be repeated.")
  var scene: [String]

  @Option(help: "The idempotency key of the request. (default: a new id)")
  var id: UUID?

  @Flag(help: "Approve the mockups as soon as they are completed.")
  var skipApproval = false

  @Option(help: "A quote of the user that the mockups are for.")
  var quote: UUID?

  @Option(
    parsing: .unconditional,
    help: "The number of credits to reserve for each mockup, up to 1000. (default: 1)",
    transform: Int.atLeast(1))
  var credits = 1

  @Option(
    parsing: .unconditional,
    help: """
      Seconds until the credits of a mockup that no worker claims expire, up to 86400. \
      (default: 86400)
      """,
    transform: Int.atLeast(1))
  var timeToLive = 86_400

  @OptionGroup var connection: Connection

  func run() async throws {
    let key = IdempotencyKey(id)
    try await connection.run(under: key) { client in
      let response = try await client.mockups.generate(
        for: user, assets: asset, scenes: scene, id: key.id, skipApproval: skipApproval,
        quote: quote, credits: credits, timeToLive: .seconds(timeToLive))
      let isTable = connection.output == .table
      try await connection.output.write(
        response.results.map { isTable ? Record(row: $0) : Record($0) },
        columns: Record(MockupGenerationResult()))
      if response.results.contains(where: { !$0.success }) { throw ExitCode(1) }
    }
  }
}
