/// What somebody has sent by NOTIFY.
public struct PostgresNotification: Sendable, Hashable {
  /// The channel it was sent on.
  public let channel: String

  /// What was sent with it; often nothing.
  public let payload: String
}
