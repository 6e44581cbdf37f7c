internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ask for a mockup of each asset in each scene.",
    discussion: "The exit code is 1 where one of them could not be asked for.")

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

  @Option(help: "What each may cost, up to 1000.")
  var credits = 1

  @Option(help: "Seconds that the credits stay set aside for each, up to 86400.")
  var timeToLive = 86_400

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.mockups.generate(
        for: user, assets: asset, scenes: scene, id: id ?? UUID(), skipApproval: skipApproval,
        quote: quote, credits: credits, timeToLive: .seconds(timeToLive))
      try connection.output.write(response.results.map { Record($0) })
      if response.results.contains(where: { !$0.success }) { throw ExitCode(1) }
    }
  }
}
