internal import Postgres

/// The maximum number of attempts to run a statement that fails because of a conflict.
let maximumAttempts = 4

/// Runs a statement, and retries it if it fails because of a conflict with another transaction.
///
/// After a conflict, PostgreSQL has rolled the statement back.
func retrying<Value: Sendable>(
  _ body: () async throws(PostgresError) -> Value
) async throws(PostgresError) -> Value {
  for _ in 1..<maximumAttempts {
    do throws(PostgresError) {
      return try await body()
    } catch {
      guard error.isConflict else { throw error }
    }
  }
  return try await body()
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
