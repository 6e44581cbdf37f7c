internal import FoundationEssentials
internal import Postgres

/// Writes single changes of credits in batches of one kind.
struct CreditWriter: Sendable {
  let batches: BatchWriter<PendingChange, PendingChange.Delivery>

  init(
    pool: Pool, limits: BatchLimits, now: @escaping @Sendable () -> Date?,
    makeID: @escaping @Sendable () -> UUID, observer: (any ChangeObserver)? = nil
  ) {
    batches = BatchWriter(
      pool: pool, limits: limits, observer: observer.map { (.credits, $0) }
    ) { changes in
      PendingChange.statement(of: changes, now: now, makeID: makeID)
    } read: { changes, rows throws(PostgresError) in
      try PendingChange.deliveries(of: changes, rows, observer)
    }
  }

  /// Makes a change in the next batch, and passes its outcome to a completion; see ``BatchQueue``.
  func submit<Change: CreditChange>(
    _ change: Change, completion: @escaping Change.Completion
  ) throws(CreditError) -> @Sendable () -> Void {
    let pending = change.pending(completion)
    do throws(PostgresError) {
      return try batches.submit(pending) { result in
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
}
