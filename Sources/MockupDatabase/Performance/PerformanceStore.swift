public import FoundationEssentials
public import MockupCore
public import Postgres

/// The store of the pins and impressions of mockups.
///
/// Batches of all callers that arrive while a transaction is in flight are written together in the
/// next one. Their entries are merged, so that each mockup is written once.
///
/// If another session has locked a mockup, the batches with entries of it are found by dividing the
/// group, and wait for the lock apart from the others.
public struct PerformanceStore: Sendable {
  /// The maximum number of batches in one transaction.
  private static let maxGroupSize = 64

  private let writer: PerformanceWriter
  private let apartWriter: PerformanceWriter
  private let queue: Queue
  /// The capacity of both queues: the ordinary one, and that of batches with locked mockups.
  private let capacity: QueueCapacity

  private typealias Queue = BatchQueue<PerformanceBatch, PerformanceWriter.Result>

  /// Creates a store.
  ///
  /// - Parameters:
  ///   - pool: The connections to the database.
  ///   - limits: The limits of the queue. Only ``BatchLimits/waiting``, the number of waiting
  ///     batches, is used.
  ///   - now: Returns the time, for tests; nil means the time of the database.
  ///   - observer: The observer of groups of batches; nil for none.
  public init(
    pool: Pool, limits: BatchLimits = BatchLimits(),
    now: @escaping @Sendable () -> Date? = { nil }, observer: (any ChangeObserver)? = nil
  ) {
    let writer = PerformanceWriter(pool: pool, now: now)
    let apartWriter = PerformanceWriter(pool: pool, now: now, isApart: true)
    let groupLimits = limits.with(batch: Self.maxGroupSize)
    let capacity = QueueCapacity(limit: limits.waiting)
    @Sendable func makeQueue(_ writer: PerformanceWriter, _ locks: Queue.Locks) -> Queue {
      Queue(
        limits: groupLimits, capacity: capacity, observer: observer.map { (.performance, $0) },
        locks: locks
      ) { group in
        // The task finishes the group, so that nothing has to wait for the task itself.
        Task {
          do throws(PostgresError) {
            group.finish(.success(try await writer.record(group.items)))
          } catch {
            group.finish(.failure(error))
          }
        }
        return nil
      }
    }
    self.writer = writer
    self.apartWriter = apartWriter
    self.capacity = capacity
    let apart = makeQueue(apartWriter, .wait)
    queue = makeQueue(writer, .divert(Queue.Diversion(queue: { _ in apart })))
  }

  /// A Boolean value that indicates whether another batch would be refused now.
  ///
  /// It is true while the maximum number of batches (``BatchLimits/waiting``) wait.
  public var isFull: Bool { capacity.isFull }

  /// The number of batches that wait to be written with others, or for a lock behind others.
  public var waitingBatches: Int { capacity.count }

  /// The result of a batch.
  public enum Answer: Sendable, Hashable {
    /// The batch was counted, by this call or an earlier one.
    case recorded(PerformanceOutcome)
    /// The batch id was used for other entries, and nothing was counted.
    case conflictingEntries
  }

  /// Counts a batch, in one transaction with other batches, or one in each partition.
  ///
  /// The counts are durable when the call returns.
  ///
  /// - Throws: `PostgresError`. If the caller is cancelled, the batch may have been counted.
  public func record(_ batch: PerformanceBatch) async throws(PostgresError) -> Answer {
    do {
      return try await queue.submit(batch).get()
    } catch {
      throw await afterLastAttempt(error)
    }
  }

  /// Counts several batches in one transaction, or one in each partition of a proxy database.
  ///
  /// The counts are durable when the call returns.
  ///
  /// - Returns: The result of each batch, in order.
  public func record(_ batches: [PerformanceBatch]) async throws(PostgresError) -> [Answer] {
    do {
      return try await retrying(on: writer.pool) { pool throws(PostgresError) in
        let writer = pool === writer.pool ? writer : apartWriter
        return try await writer.record(batches).map { result throws(PostgresError) in
          try result.get()
        }
      }
    } catch {
      throw await afterLastAttempt(error)
    }
  }

  /// Returns the error of a batch that has met a lock or a conflict in each attempt.
  ///
  /// Another partition may have counted its entries before that.
  private func afterLastAttempt(_ error: PostgresError) async -> PostgresError {
    guard error.isLocked || error.isConflict, (try? await writer.pool.partitionCount()) != 1 else {
      return error
    }
    return error.afterPartialWrite
  }
}
