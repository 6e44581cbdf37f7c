internal import ArgumentParser

struct ScenesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scenes",
    abstract: "List, show, create, change or delete the scenes that artworks are placed in.",
    subcommands: [
      ListScenes.self, ShowScene.self, ResolveScene.self, CreateScene.self, UpdateScene.self,
      DeleteScene.self,
    ])
}
