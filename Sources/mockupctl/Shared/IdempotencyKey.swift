internal import FoundationEssentials
internal import MockupClient
internal import TimeOrderedID

/// The id with which a command can be repeated without a second effect.
struct IdempotencyKey {
  let id: UUID
  /// True if the user gave the id.
  let isGiven: Bool

  /// Creates a key with the user's id, or with a new one.
  init(_ given: UUID?) {
    id = given ?? .timeOrdered()
    isGiven = given != nil
  }

  /// The instruction for repeating the command.
  var hint: String { "repeat with --id \(id.wireText)" }
}
