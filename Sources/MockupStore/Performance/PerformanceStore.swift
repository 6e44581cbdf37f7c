public import FoundationEssentials
public import Mockups
public import Postgres

/// The pins and impressions of mockups.
///
/// Batches of all callers are written together, as many as gather while others are written: their entries
/// are merged, so that a mockup is written once however many of them name it.
public struct PerformanceStore: Sendable {
  /// The most batches of one transaction.
  private static let largestGroup = 64

  private let writer: PerformanceWriter
  private let queue: BatchQueue<PerformanceBatch, Answer>

  /// - Parameters:
  ///   - limits: How many batches may wait.
  ///   - now: The clock by which batches are received.
  public init(
    pool: Pool, limits: BatchLimits = BatchLimits(),
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    let writer = PerformanceWriter(pool: pool, now: now)
    var limits = limits
    limits.batch = Self.largestGroup
    self.writer = writer
    queue = BatchQueue(limits: limits) { group in
      // Its end is the answer; nobody waits for the task itself.
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

  /// What has become of a batch of a call.
  public enum Answer: Sendable, Hashable {
    case recorded(PerformanceOutcome)
    /// The id was used for other entries. Nothing was counted.
    case conflictingEntries
  }

  /// Counts a batch, together with others that have gathered; durable when it returns.
  ///
  /// - Throws: ``PostgresError``. Of a caller that is cancelled the batch may have been counted.
  public func record(_ batch: PerformanceBatch) async throws(PostgresError) -> Answer {
    try await queue.submit(batch)
  }

  /// Counts batches, in one transaction, durable when it returns.
  ///
  /// - Returns: The answers, in the order of the batches.
  public func record(_ batches: [PerformanceBatch]) async throws(PostgresError) -> [Answer] {
    try await writer.record(batches)
  }
}
