import Synchronization

/// A thread-safe, bounded count of the requests that are pending on a connection.
final class Admission: Sendable {
  private let limit: Int
  private let pending = Atomic(0)
  private let reads = Atomic(0)

  init(limit: Int) {
    self.limit = limit
  }

  /// The number of requests that are queued or in flight.
  var count: Int { pending.load(ordering: .relaxed) }

  /// The number of these requests that only read.
  var readCount: Int { reads.load(ordering: .relaxed) }

  /// Counts a new request.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/queueFull`` if the limit is reached.
  func enter(isReadOnly: Bool = false) throws(PostgresError) {
    let (before, _) = pending.add(1, ordering: .relaxed)
    if isReadOnly { reads.add(1, ordering: .relaxed) }
    if before < limit { return }
    leave(isReadOnly: isReadOnly)
    throw PostgresError(.queueFull, "the connection already has \(limit) pending statements")
  }

  /// Removes a completed request from the count.
  func leave(isReadOnly: Bool = false) {
    pending.subtract(1, ordering: .relaxed)
    if isReadOnly { reads.subtract(1, ordering: .relaxed) }
  }
}
