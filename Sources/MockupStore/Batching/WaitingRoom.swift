internal import Synchronization

/// How much waits in several queues together, and never more than there is room for.
final class WaitingRoom: Sendable {
  let limit: Int
  private let waiting = Atomic(0)

  init(limit: Int) {
    self.limit = limit
  }

  /// How many wait now.
  var count: Int { waiting.load(ordering: .relaxed) }

  var isFull: Bool { count >= limit }

  /// Lets one more in, if there is room.
  func enter() -> Bool {
    guard waiting.add(1, ordering: .relaxed).newValue <= limit else {
      leave(1)
      return false
    }
    return true
  }

  func leave(_ count: Int) { waiting.subtract(count, ordering: .relaxed) }
}
