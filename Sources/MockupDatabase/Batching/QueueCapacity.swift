internal import Synchronization

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
