public import Postgres

/// The maximum number of attempts to run a statement that fails because of a conflict.
let maximumAttempts = 4

/// The maximum number of attempts to run a statement that meets a lock of another session.
///
/// Each attempt waits for `lock_timeout` (``PostgresConfiguration/lockTimeout``).
let maximumLockedAttempts = 100

/// Runs a statement, and retries it if it fails because of another transaction.
///
/// In both cases, PostgreSQL has rolled the statement back:
/// - After a conflict, the statement is run again at once.
/// - If it met a lock, it is run again in the pool that is set apart (``Pool/apart``), until it
///   gets the lock, the task is cancelled, or ``maximumLockedAttempts`` is reached.
func retrying<Value: Sendable>(
  on pool: Pool, _ body: (Pool) async throws(PostgresError) -> Value
) async throws(PostgresError) -> Value {
  var pool = pool
  var attempts = 1
  var lockedAttempts = 0
  while true {
    do throws(PostgresError) {
      return try await body(pool)
    } catch {
      if error.isConflict, attempts < maximumAttempts {
        attempts += 1
      } else if error.isLocked, lockedAttempts < maximumLockedAttempts {
        lockedAttempts += 1
        pool = pool.apart
      } else {
        throw error
      }
    }
  }
}

extension PostgresError {
  /// A Boolean value that indicates whether the statement may succeed if it is run again
  /// immediately.
  ///
  /// It is true for
  /// - deadlocks and serialization failures,
  /// - plans that no longer match the tables, which the connection has discarded, and
  /// - duplicate keys that no lock prevents: a reservation or refund id that is used in two years
  ///   at the same time, or a request id that is used for two mockups at the same time. The next
  ///   attempt finds the row of the first.
  var isConflict: Bool {
    switch sqlState {
    case .deadlockDetected, .serializationFailure: true
    case _ where isStalePlan: true
    case .uniqueViolation:
      ["reservations_pkey", "refunds_pkey", "regeneration_requests_pkey"].contains(constraint)
    default: false
    }
  }

  /// A Boolean value that indicates whether the statement waited in vain for a lock.
  var isLocked: Bool { sqlState == .lockNotAvailable }

  /// A Boolean value that indicates whether the users of a batch belong to several partitions, so
  /// that a proxy database refused it.
  public var spansPartitions: Bool { sqlState == SQLState("22MP1") }

  /// The error of a call of which another partition has already written a part.
  ///
  /// A transient error becomes ``Code/connectionLost``, because the outcome of the whole call is
  /// unknown until it is retried.
  var afterPartialWrite: PostgresError {
    guard isTransient else { return self }
    return PostgresError(
      .connectionLost, "a part of the batch may have been written: \(description)", detail: report)
  }

  /// A Boolean value that indicates whether a single item of a batch may have caused the error.
  ///
  /// It is true if a value cannot be represented in its column or violates a constraint.
  var mayBeDueToOneItem: Bool {
    switch code {
    case .encoding: true
    case .server(let state): ["22", "23"].contains(state.conditionClass)
    default: false
    }
  }
}
