import FoundationEssentials
import Postgres

/// Who calls SQL's functions, as PostgREST would have the database see it.
enum Caller: Sendable {
  case anonymous
  case user(UUID)
  /// As ``user(_:)``, in the older of the two forms in which claims are handed over.
  case userByOldClaim(UUID)
  /// Signed in, but the token names nobody.
  case nobody
  case service

  private var role: String {
    switch self {
    case .anonymous: "anon"
    case .user, .userByOldClaim, .nobody: "authenticated"
    case .service: "service_role"
    }
  }

  private var claim: (setting: String, value: String) {
    switch self {
    case .user(let id): ("request.jwt.claims", #"{"sub": "\#(id)", "role": "authenticated"}"#)
    case .userByOldClaim(let id): ("request.jwt.claim.sub", "\(id)")
    case .anonymous, .nobody, .service: ("request.jwt.claims", #"{"role": "\#(role)"}"#)
    }
  }

  /// Makes a transaction this caller's.
  func take(_ transaction: Transaction) async throws(PostgresError) {
    try await transaction.execute(Statement("SET LOCAL ROLE \(role)"))
    try await transaction.execute(
      "SELECT set_config($1, $2, true)", [claim.setting, claim.value])
  }

  /// Runs one query as this caller, after a statement of the caller's own, and returns its column.
  func lines(
    _ sql: String, after preparation: String? = nil, in pool: Pool
  ) async throws(PostgresError) -> [String] {
    try await pool.withTransaction { transaction throws(PostgresError) in
      try await take(transaction)
      if let preparation { try await transaction.execute(Statement(preparation)) }
      return try await transaction.lines(sql)
    }
  }

  /// The state of the error that a query ends with, or what it answered.
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

  /// How many rows a statement changes, or the state of the error that it ends with. What it changes
  /// is taken back.
  func change(_ sql: String, in pool: Pool) async throws(PostgresError) -> String {
    do {
      let count = try await pool.withTransaction { transaction throws(PostgresError) in
        try await transaction.execute("SAVEPOINT before")
        try await take(transaction)
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
