internal import Synchronization

/// The limits of the batches in which changes are written.
public struct BatchLimits: Sendable, Hashable {
  /// The number of shards into which the users are divided.
  ///
  /// Each shard writes one batch at a time, in parallel with the other shards.
  public var shards = 2
  /// The maximum number of changes in one batch.
  public var batch = 512
  /// The maximum number of changes that wait for a batch, over all shards of a partition.
  ///
  /// Further changes are refused.
  public var waiting = 4096

  /// Creates the default limits.
  public init() {}

  /// Returns the limits with another maximum number of changes in one batch.
  func with(batch: Int) -> BatchLimits {
    var limits = self
    limits.batch = batch
    return limits
  }
}

/// A limit on the number of items that wait in several queues together.
final class QueueCapacity: Sendable {
  let limit: Int
  private let waiting = Atomic(0)

  init(limit: Int) {
    self.limit = limit
  }

  /// The number of items that wait now.
  var count: Int { waiting.load(ordering: .relaxed) }

  var isFull: Bool { count >= limit }

  /// Takes a slot for one more item, and returns false if none is free.
  func takeSlot() -> Bool {
    guard waiting.add(1, ordering: .relaxed).newValue <= limit else {
      freeSlots(1)
      return false
    }
    return true
  }

  func freeSlots(_ count: Int) { waiting.subtract(count, ordering: .relaxed) }
}
