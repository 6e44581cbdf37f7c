public import FoundationEssentials
public import Postgres

/// Why a scene could not be read or changed. Nothing has changed then, save where ``database(_:)`` says
/// that the outcome is unknown.
public enum SceneError: Error, Sendable {
  case unknownUser(UUID)
  /// The user sees no template of this id.
  case unknownTemplate(UUID)
  /// The user has no active template of this key, and neither has the system.
  case unknownScene(String)
  /// The user has a template of this key.
  case keyTaken(String)
  /// The id was used for a template that differs in this field, as the wire names it.
  case conflict(String)
  /// It is the system's, and nobody's to change.
  case systemTemplate(UUID)
  /// The database does not take the configuration: U+0000, half a surrogate pair, a number beyond all
  /// bounds, or more than 256 KiB.
  case unstorableConfig
  case database(PostgresError)
}

extension SceneError {
  /// The error of a statement that writes a template.
  init(writing error: PostgresError, user: UUID, key: String?) {
    guard let state = error.sqlState else {
      self = .database(error)
      return
    }
    switch state {
    case .foreignKeyViolation: self = .unknownUser(user)
    case .uniqueViolation where key != nil && error.constraint == Self.keyIndex:
      self = .keyTaken(key ?? "")
    case .checkViolation where error.constraint == Self.configSizeCheck: self = .unstorableConfig
    // Data exceptions, and a program too deep: of all that is written only JSON is parsed.
    case _ where state.conditionClass == "22" || state.code == "54001": self = .unstorableConfig
    default: self = .database(error)
    }
  }

  private static let configSizeCheck = "mockup_scene_templates_config_size"
  private static let keyIndex = "mockup_scene_templates_user_key"
}
