/// A notification that a session sent with NOTIFY.
public struct PostgresNotification: Sendable, Hashable {
  /// The name of the channel.
  public let channel: String

  /// The payload; an empty string if NOTIFY had none.
  public let payload: String
}
