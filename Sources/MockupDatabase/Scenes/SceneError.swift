public import FoundationEssentials
public import Postgres

/// An error of a call that reads or changes scene templates.
///
/// Nothing has changed, unless ``database(_:)`` reports that the outcome is unknown.
public enum SceneError: Error, Sendable {
  /// No user has this id.
  case unknownUser(UUID)
  /// No template with this id is visible to the user.
  case unknownTemplate(UUID)
  /// The template of the request with this id was made and deleted.
  case deletedTemplate(requestID: UUID)
  /// Neither the user nor the system has an active template with this key.
  case unknownScene(String)
  /// The user has a template with this key already.
  case keyTaken(String)
  /// The idempotency key was used for a template that differs in this field of the request message.
  case conflict(String)
  /// The template is a system template, which is read-only.
  case systemTemplate(UUID)
  /// PostgreSQL cannot store the configuration.
  ///
  /// It has U+0000, half of a surrogate pair, a number that `numeric` cannot represent, or more
  /// than 256 KiB.
  case unstorableConfig
  /// The database failed, or is unavailable.
  case database(PostgresError)
}

extension SceneError {
  /// Converts the error of a statement that writes a template.
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
    // Data exceptions, and JSON that is nested too deeply (54001). Only the configuration is
    // parsed.
    case _ where state.conditionClass == "22" || state.code == "54001": self = .unstorableConfig
    default: self = .database(error)
    }
  }

  private static let configSizeCheck = "mockup_scene_templates_config_size"
  private static let keyIndex = "mockup_scene_templates_user_key"
}
