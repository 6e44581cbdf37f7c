/// The limits of the batches in which changes are written.
public struct BatchLimits: Sendable, Hashable {
  /// The number of shards into which the users are divided.
  ///
  /// Each shard writes one batch at a time, in parallel with the other shards.
  public var shards = 2
  /// The maximum number of changes in one batch.
  public var batch = 512
  /// The maximum number of changes that wait for a batch, over all shards.
  ///
  /// Further changes are refused.
  public var waiting = 4096

  /// Creates the default limits.
  public init() {}
}
