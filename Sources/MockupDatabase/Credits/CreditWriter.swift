internal import FoundationEssentials
internal import MockupCore
internal import Postgres

/// Writes single changes in batches.
///
/// Users are divided into shards. Each shard writes one batch at a time, so that many changes share
/// a transaction and batches of this program do not wait for each other's locks. Correctness does
/// not depend on the shards: the engine locks each user's counters, so several programs may write
/// to one database.
final class CreditWriter: Sendable {
  private typealias Queue = BatchQueue<PendingChange, PendingChange.Delivery>

  private let shards: [Queue]
  private let capacity: QueueCapacity

  /// The number of changes that wait for a batch.
  var waitingCount: Int { shards.reduce(0) { $0 + $1.waitingCount } }

  /// True if one more change would be refused.
  var isFull: Bool { capacity.isFull }

  init(
    pool: Pool, limits: BatchLimits, now: @escaping @Sendable () -> Date?,
    makeID: @escaping @Sendable () -> UUID, observer: (any ChangeObserver)? = nil
  ) {
    precondition(limits.shards > 0, "at least one shard is required")
    let capacity = QueueCapacity(limit: limits.waiting)
    self.capacity = capacity
    shards = (0..<limits.shards).map { _ in
      Queue(
        limits: limits, capacity: capacity, observer: observer.map { (.credits, $0) },
        joins: { $0.isSameKind(as: $1) }
      ) { batch in
        do throws(PostgresError) {
          let submission = try pool.submit {
            PendingChange.statement(of: batch.items, now: now, makeID: makeID)
          } completion: { rows in
            batch.finish(
              Result { () throws(PostgresError) in
                try PendingChange.deliveries(of: batch.items, try rows.get(), observer)
              })
          }
          return { submission.cancel() }
        } catch {
          batch.finish(.failure(error))
          return nil
        }
      }
    }
  }

  /// Makes a change in the next batch, and passes its outcome to a completion; see ``BatchQueue``.
  func submit<Change: CreditChange>(
    _ change: Change, completion: @escaping Change.Completion
  ) throws(CreditError) -> @Sendable () -> Void {
    let pending = change.pending(completion)
    do throws(PostgresError) {
      return try shard(of: pending.userID).submit(pending) { result in
        switch result {
        case .success(let deliver): deliver()
        case .failure(let error): pending.fail(.database(error))
        }
      }
    } catch {
      throw .database(error)
    }
  }

  /// Makes a change in the next batch, and returns its outcome.
  func write<Change: CreditChange>(_ change: Change) async throws(CreditError) -> Change.Outcome {
    try await completion { completion throws(CreditError) in
      try submit(change, completion: completion)
    }
  }

  private func shard(of userID: UUID) -> Queue {
    // The last byte is random, or as good as random, in every kind of UUID in use.
    shards[Int(userID.uuid.15) % shards.count]
  }
}
