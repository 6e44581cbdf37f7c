import Synchronization

/// How much is pending on a connection, known to all threads, and never above its bound.
final class Admission: Sendable {
  private let limit: Int
  private let pending = Atomic(0)

  init(limit: Int) {
    self.limit = limit
  }

  /// How many requests are queued or in flight.
  var count: Int { pending.load(ordering: .relaxed) }

  /// Counts one more in.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/queueFull`` if that is one too many.
  func enter() throws(PostgresError) {
    let (before, _) = pending.add(1, ordering: .relaxed)
    if before < limit { return }
    leave()
    throw PostgresError(.queueFull, "\(limit) statements are pending on the connection already.")
  }

  /// Counts one out.
  func leave() {
    pending.subtract(1, ordering: .relaxed)
  }
}
