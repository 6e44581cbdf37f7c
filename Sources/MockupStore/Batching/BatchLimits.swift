/// How much is written at a time.
public struct BatchLimits: Sendable, Hashable {
  /// Groups of users whose changes are written side by side, each group's in one batch at a time.
  public var shards = 2
  /// The most changes in one batch.
  public var batch = 512
  /// Changes that wait for their batch, of all shards together. One more is refused.
  public var waiting = 4096

  public init() {}
}
