internal import Postgres

/// How often a statement is run that loses against others each time.
let maximumAttempts = 4

/// Runs a statement that may lose against another transaction, which then changed nothing.
func retrying<Value: Sendable>(
  _ body: () async throws(PostgresError) -> Value
) async throws(PostgresError) -> Value {
  for _ in 1..<maximumAttempts {
    do throws(PostgresError) {
      return try await body()
    } catch {
      guard error.lostAgainstAnother else { throw error }
    }
  }
  return try await body()
}

extension PostgresError {
  /// Deadlocks and serialization failures; plans that no longer fit the tables, which the connection
  /// has discarded; and the duplicate keys that no lock excludes: an id that is
  /// used in two years at once, or one that asks for two mockups at once. The next attempt finds the
  /// first.
  var lostAgainstAnother: Bool {
    switch sqlState {
    case .deadlockDetected, .serializationFailure: true
    case _ where isStalePlan: true
    case .uniqueViolation:
      ["reservations_pkey", "refunds_pkey", "regeneration_requests_pkey"].contains(constraint)
    default: false
    }
  }

  /// Whether one item of a batch may be what is wrong: a value that has no place where it is to go, or
  /// that a rule forbids.
  var mayBeOfOneItem: Bool {
    switch code {
    case .encoding: true
    case .server(let state): ["22", "23"].contains(state.conditionClass)
    default: false
    }
  }
}
