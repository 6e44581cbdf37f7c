import FoundationEssentials
import Postgres
import TestSupport

/// A caller of SQL functions, with the role and the claims that PostgREST sets.
enum Caller: Sendable {
  case anonymous
  case user(UUID)
  /// The same as ``user(_:)``, with the claims in PostgREST's older form.
  case userByLegacyClaim(UUID)
  /// A signed-in caller whose token has no subject.
  case withoutSubject
  case service

  private var role: String {
    switch self {
    case .anonymous: "anon"
    case .user, .userByLegacyClaim, .withoutSubject: "authenticated"
    case .service: "service_role"
    }
  }

  private var claim: (setting: String, value: String) {
    switch self {
    case .user(let id): ("request.jwt.claims", #"{"sub": "\#(id)", "role": "authenticated"}"#)
    case .userByLegacyClaim(let id): ("request.jwt.claim.sub", "\(id)")
    case .anonymous, .withoutSubject, .service: ("request.jwt.claims", #"{"role": "\#(role)"}"#)
    }
  }

  /// Sets the caller's role and claims in a transaction.
  func assumeRole(in transaction: Transaction) async throws(PostgresError) {
    try await transaction.execute(Statement("SET LOCAL ROLE \(role)"))
    try await transaction.execute(
      "SELECT set_config($1, $2, true)", [claim.setting, claim.value])
  }

  /// Runs a query as this caller, after an optional statement, and returns its only column.
  func lines(
    _ sql: String, after preparation: String? = nil, in pool: Pool
  ) async throws(PostgresError) -> [String] {
    try await pool.withTransaction { transaction throws(PostgresError) in
      try await assumeRole(in: transaction)
      if let preparation { try await transaction.execute(Statement(preparation)) }
      return try await transaction.lines(sql)
    }
  }

  /// Runs a query as this caller, and returns its result or the SQLSTATE of its error.
  func answer(
    _ sql: String, after preparation: String? = nil, in pool: Pool
  ) async throws(PostgresError) -> String {
    do {
      return try await lines(sql, after: preparation, in: pool).joined(separator: "\n")
    } catch {
      guard let state = error.sqlState else { throw error }
      return state.code
    }
  }

  /// Runs a statement as this caller, and returns the number of changed rows or an SQLSTATE.
  ///
  /// The changes are rolled back.
  func change(_ sql: String, in pool: Pool) async throws(PostgresError) -> String {
    do {
      let count = try await pool.withTransaction { transaction throws(PostgresError) in
        try await transaction.execute("SAVEPOINT before")
        try await assumeRole(in: transaction)
        let count = try await transaction.execute(Statement(sql))
        try await transaction.execute("ROLLBACK TO SAVEPOINT before")
        return count
      }
      return "\(count)"
    } catch {
      guard let state = error.sqlState else { throw error }
      return state.code
    }
  }
}
