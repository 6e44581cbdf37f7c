/// The name of a user on a page: the label, or the beginning of the id if there is none.
struct UserName {
  /// The whole id.
  var id: String
  /// The label; `nil` if the user has none.
  var label: String?
  /// The label in parts, between which a line may be broken: after each `@`.
  var parts: [String]
  /// The beginning of the id.
  var shortID: String

  init(id: String, label: String) {
    self.id = id
    self.label = label.isEmpty ? nil : label
    parts = label.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
    for index in parts.indices.dropLast() { parts[index] += "@" }
    shortID = Display.short(id)
  }

  /// The name as text.
  var text: String { label ?? shortID }
}
