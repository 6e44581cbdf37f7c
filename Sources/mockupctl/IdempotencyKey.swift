internal import FoundationEssentials
internal import MockupClient
internal import TimeOrderedID

/// The id under which a command can be repeated without a second effect: the user's, or a new one.
struct IdempotencyKey {
  let id: UUID
  let isGiven: Bool

  init(_ given: UUID?) {
    id = given ?? .timeOrdered()
    isGiven = given != nil
  }

  /// How to repeat the command.
  var hint: String { "repeat with --id \(id.wireText)" }
}
