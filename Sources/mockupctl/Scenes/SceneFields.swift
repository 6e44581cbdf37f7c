internal import ArgumentParser
internal import Foundation

/// The options that creating and changing a scene have in common.
struct SceneFields: ParsableArguments {
  @Option(help: "A description for people; empty for none.")
  var description: String?

  @Option(help: "The URL of the vendor's template; empty for none.")
  var dmTemplateUrl: String?

  @Option(help: "The URL of a preview picture; empty for none.")
  var previewUrl: String?

  @Flag(inversion: .prefixedNo, help: "Activate the scene, or deactivate it.")
  var active: Bool?

  @Option(
    help: ArgumentHelp(
      "The collections that the scene is recommended for, separated by commas.",
      valueName: "names"))
  var collection: String?

  var collections: [String]? {
    collection.map { names in
      names.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }
}
