internal import FoundationEssentials
internal import Mockups
internal import Postgres

/// Writes the changes that come one by one: those of one group of users in one batch at a time, so that
/// many share a transaction, and none waits for a lock that another one of this program holds.
///
/// What keeps the books right is the engine's own locks, not these queues: several programs may write to
/// one database.
final class CreditWriter: Sendable {
  private typealias Queue = BatchQueue<QueuedChange, QueuedOutcome>

  private let shards: [Queue]
  private let room: WaitingRoom

  /// Changes that wait for a batch.
  var waitingCount: Int { shards.reduce(0) { $0 + $1.waitingCount } }

  /// Whether one more change would be refused.
  var isFull: Bool { room.isFull }

  init(
    pool: Pool, limits: BatchLimits, now: @escaping @Sendable () -> Date,
    makeID: @escaping @Sendable () -> UUID
  ) {
    precondition(limits.shards > 0, "there is a shard for every user")
    let room = WaitingRoom(limit: limits.waiting)
    self.room = room
    shards = (0..<limits.shards).map { _ in
      Queue(limits: limits, room: room, joins: { $0.hasKind(of: $1) }) { batch in
        do throws(PostgresError) {
          let submission = try pool.submit {
            QueuedChange.statement(of: batch.items, now: now, makeID: makeID)
          } completion: { rows in
            batch.finish(
              Result { () throws(PostgresError) in
                try QueuedChange.outcomes(of: batch.items, try rows.get())
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

  /// Has a change made, and its outcome handed to a completion; see ``BatchQueue``.
  func submit<Change: CreditChange>(
    _ change: Change, completion: @escaping @Sendable (Result<Change.Outcome, CreditError>) -> Void
  ) throws(CreditError) -> @Sendable () -> Void {
    do throws(PostgresError) {
      return try shard(of: change).submit(change.queued) { answer in
        completion(answer.mapError(CreditError.database).flatMap(Change.outcome))
      }
    } catch {
      throw .database(error)
    }
  }

  /// The same for a task that waits for it.
  func write<Change: CreditChange>(_ change: Change) async throws(CreditError) -> Change.Outcome {
    let outcome: QueuedOutcome
    do throws(PostgresError) {
      outcome = try await shard(of: change).submit(change.queued)
    } catch {
      throw .database(error)
    }
    return try Change.outcome(in: outcome).get()
  }

  private func shard(of change: some CreditChange) -> Queue {
    // Of every kind of id in use the last byte is as good as random.
    shards[Int(change.userID.uuid.15) % shards.count]
  }
}
