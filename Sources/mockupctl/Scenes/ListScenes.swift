internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct ListScenes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List scenes by key, the user's before the system's.")

  @Argument(help: "The id of a user whose scenes are listed, too. (default: only the system's)")
  var user: UUID?

  @Flag(help: "List inactive scenes, too.")
  var inactive = false

  @Flag(help: "Only the user's own scenes.")
  var own = false

  @Option(help: "Only scenes that are recommended for this collection.")
  var collection: String?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      var scenes: [Record] = []
      let templates = client.scenes.templates(
        seenBy: user, includesInactive: inactive, ownOnly: own, collection: collection)
      for try await template in templates { scenes.append(Record(brief: template)) }
      try await connection.output.write(scenes)
    }
  }
}
