internal import FoundationEssentials
internal import MockupStore
internal import Mockups
internal import Postgres

/// Writes batches of performance, of all calls together: what has queued while a transaction ran makes
/// up the next one.
///
/// How much queues is the callers' to bound: each waits for its answers.
actor PerformanceWriter {
  /// The most batches of one transaction.
  private static let largestGroup = 64

  private struct Waiting {
    var batch: PerformanceBatch
    var answer: CheckedContinuation<Result<PerformanceStore.Answer, PostgresError>, Never>
  }

  private let store: PerformanceStore
  private var queue: [Waiting] = []
  private var isWriting = false

  init(store: PerformanceStore) {
    self.store = store
  }

  /// Counts a batch, together with others; durable when it returns. A caller that is cancelled may
  /// have counted it all the same.
  func record(_ batch: PerformanceBatch) async throws(PostgresError) -> PerformanceStore.Answer {
    try await withCheckedContinuation { answer in
      queue.append(Waiting(batch: batch, answer: answer))
      guard !isWriting else { return }
      isWriting = true
      // Not the caller's task: its end is not to take the others' batches with it. It ends with the
      // queue.
      Task { await writeAll() }
    }.get()
  }

  private func writeAll() async {
    while !queue.isEmpty {
      let group = nextGroup()
      do throws(PostgresError) {
        let answers = try await store.record(group.map(\.batch))
        for (waiting, answer) in zip(group, answers) {
          waiting.answer.resume(returning: .success(answer))
        }
      } catch {
        for waiting in group { waiting.answer.resume(returning: .failure(error)) }
      }
    }
    isWriting = false
  }

  /// Takes the first batches from the queue. An id that stands there twice waits for what becomes of
  /// the first one.
  private func nextGroup() -> [Waiting] {
    var group: [Waiting] = []
    var rest: [Waiting] = []
    var ids: Set<UUID> = []
    for waiting in queue {
      if group.count < Self.largestGroup, ids.insert(waiting.batch.id).inserted {
        group.append(waiting)
      } else {
        rest.append(waiting)
      }
    }
    queue = rest
    return group
  }
}
