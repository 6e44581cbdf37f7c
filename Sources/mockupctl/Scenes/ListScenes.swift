internal import ArgumentParser
internal import MockupClient

struct ListScenes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List scenes by key, the user's before the system's.")

  @Argument(
    help: "The id or label of a user whose scenes are listed, too. (default: only the system's)")
  var user: UserArgument?

  @Flag(help: "List inactive scenes, too.")
  var inactive = false

  @Flag(help: "Only the user's own scenes.")
  var own = false

  @Option(help: "Only scenes that are recommended for this collection.")
  var collection: String?

  @OptionGroup var connection: Connection

  func validate() throws {
    guard user != nil || !own else { throw ValidationError("--own requires a user") }
  }

  func run() async throws {
    try await connection.run { client in
      let templates = client.scenes.templates(
        seenBy: try await user?.id(client), includesInactive: inactive, ownOnly: own,
        collection: collection)
      try await connection.write(templates, limit: 0, { Record($0) }, row: { Record(row: $0) })
    }
  }
}
