internal import FoundationEssentials
internal import NIOConcurrencyHelpers

/// The users whose rows another session has locked, each with a queue of its own.
///
/// A user is listed while its queue has changes. The changes of other users do not wait for the
/// lock.
final class LockedUsers<Change: BatchedChange, Answer: Sendable>: Sendable {
  typealias Queue = BatchQueue<Change, Answer>

  private let queues = NIOLockedValueBox<[UUID: Queue]>([:])

  /// Returns the queue of a user; nil if the user is not known to be locked.
  func queue(of userID: UUID) -> Queue? { queues.withLockedValue { $0[userID] } }

  /// Returns the queue of a locked user, which is made if the user has none.
  func queue(of userID: UUID, orMake make: () -> Queue) -> Queue {
    queues.withLockedValue { queues in
      if let queue = queues[userID] { return queue }
      let queue = make()
      queues[userID] = queue
      return queue
    }
  }

  /// Removes a user whose queue has no changes any more.
  ///
  /// A change that is submitted to the queue at the same time is still made.
  func remove(_ userID: UUID) { queues.withLockedValue { $0[userID] = nil } }
}
