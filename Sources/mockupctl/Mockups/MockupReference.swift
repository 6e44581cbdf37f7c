internal import ArgumentParser
internal import FoundationEssentials

/// The user and the id of a mockup, as arguments.
struct MockupReference: ParsableArguments {
  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The mockup's id.")
  var mockup: UUID
}
