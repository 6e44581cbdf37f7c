internal import FoundationEssentials
internal import Postgres

/// A change of one user's data that is written in batches.
protocol BatchedChange: Sendable {
  var userID: UUID { get }

  /// Returns true if both changes may be in one batch.
  func isSameKind(as other: Self) -> Bool

  /// Returns the statement that finds the users of changes for which another session has locked
  /// rows, without waiting.
  static func findLocked(_ changes: [Self]) -> (Statement, Parameters)
}

/// Writes single changes in batches.
///
/// Users are divided into shards. Each shard writes one batch at a time, so that many changes share
/// a transaction and batches of this writer do not wait for each other's locks. Correctness does
/// not depend on the shards: the functions of the database lock each user's rows, so several
/// writers and programs may write to one database.
///
/// Through a proxy database, each partition has shards, a limit of waiting changes and a lane of
/// the pool of its own, so that a partition that hangs delays only its own users.
///
/// If another session has locked a user's rows, the user's changes move from the shard to a queue
/// of their own, so that the shard's other users do not wait.
final class BatchWriter<Change: BatchedChange, Answer: Sendable>: Sendable {
  private typealias Queue = BatchQueue<Change, Answer>

  /// The shards of each partition.
  private let shards: [[Queue]]
  let lockedUsers: LockedUsers<Change, Answer>
  /// The capacity of each partition.
  private let capacities: [QueueCapacity]
  private let pool: Pool

  /// The number of changes that wait for a batch, by partition.
  var waitingCounts: [Int] { capacities.prefix(pool.knownPartitionCount).map(\.count) }

  /// True if one more change would be refused, whoever its user is.
  var isFull: Bool { capacities.prefix(pool.knownPartitionCount).allSatisfy(\.isFull) }

  /// - Parameters:
  ///   - observer: The observer of the batches, with the name of the queues; nil for none.
  ///   - statement: Returns the statement that makes the changes of a batch, or nil for an empty
  ///     batch.
  ///   - read: Reads the answer to each change of a batch, in order.
  init(
    pool: Pool, limits: BatchLimits,
    observer: (queue: WriteQueue, observer: any ChangeObserver)?,
    statement: @escaping @Sendable ([Change]) -> (Statement, Parameters)?,
    read: @escaping @Sendable ([Change], Rows) throws(PostgresError) -> [Answer]
  ) {
    precondition(limits.shards > 0, "at least one shard is required")
    let capacities = (0..<Pool.maximumPartitions).map { _ in QueueCapacity(limit: limits.waiting) }
    let lockedUsers = LockedUsers<Change, Answer>()
    @Sendable func makeQueue(
      in partition: Int, isApart: Bool = false, locks: Queue.Locks,
      onIdle: @escaping @Sendable () -> Void = {}
    ) -> Queue {
      Queue(
        limits: limits, capacity: capacities[partition], observer: observer,
        joins: { $0.isSameKind(as: $1) }, locks: locks, onIdle: onIdle
      ) { batch in
        do throws(PostgresError) {
          let lane = pool.lane(partition)
          let submission = try (isApart ? lane.apart : lane).submit {
            statement(batch.items)
          } completion: { rows in
            batch.finish(
              Result { () throws(PostgresError) in
                // The items of a batch that was not sent may still wait for it.
                let rows = try rows.get()
                return try read(batch.items, rows)
              })
          }
          return { submission.cancel() }
        } catch {
          batch.finish(.failure(error))
          return nil
        }
      }
    }
    shards = capacities.indices.map { partition in
      let diversion = Queue.Diversion(
        isLocked: { lockedUsers.queue(of: $0.userID) != nil },
        find: { Self.findLocked($0, in: pool.lane(partition), $1) },
        queue: { change in
          let userID = change.userID
          return lockedUsers.queue(of: userID) {
            makeQueue(in: partition, isApart: true, locks: .wait) { lockedUsers.remove(userID) }
          }
        })
      return (0..<limits.shards).map { _ in
        makeQueue(in: partition, locks: .divert(diversion))
      }
    }
    self.lockedUsers = lockedUsers
    self.capacities = capacities
    self.pool = pool
  }

  /// Makes a change in the next batch, and passes its answer to a completion; see ``BatchQueue``.
  func submit(
    _ change: Change, completion: @escaping @Sendable (Result<Answer, PostgresError>) -> Void
  ) throws(PostgresError) -> @Sendable () -> Void {
    try queue(of: change.userID).submit(change, completion: completion)
  }

  private func queue(of userID: UUID) -> Queue {
    if let queue = lockedUsers.queue(of: userID) { return queue }
    let count = pool.knownPartitionCount
    let shards = shards[userID.partition(of: count)]
    return shards[Int(userID.uuid.15) / count % shards.count]
  }

  /// Finds the changes whose users another session has locked; none if the search fails.
  private static func findLocked(
    _ changes: [Change], in pool: Pool, _ completion: @escaping @Sendable ([Bool]) -> Void
  ) {
    do throws(PostgresError) {
      _ = try pool.submit {
        Change.findLocked(changes)
      } completion: { rows in
        let locked = Result { () throws(PostgresError) in
          Set(try rows.get().map { row throws(PostgresError) in try row.decode(UUID.self, at: 0) })
        }
        completion(changes.map { (try? locked.get().contains($0.userID)) ?? false })
      }
    } catch {
      completion(changes.map { _ in false })
    }
  }
}
