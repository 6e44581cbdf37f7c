/// A message of the server that is not an error: a NOTICE, a WARNING.
public struct PostgresNotice: Sendable {
  /// How grave it is, never translated: `WARNING`, `NOTICE`, `DEBUG`, `INFO`, `LOG`; `FATAL` when
  /// an idle session is ended.
  public let severity: String

  /// The condition; `00000` for most.
  public let sqlState: SQLState

  /// The message in one line.
  public let message: String

  /// More about it.
  public let detail: String?

  /// Whether a RAISE statement in PL/pgSQL sent it, and not the server by itself.
  public let isRaised: Bool

  init(_ fields: ServerFields) {
    severity = fields.severity
    sqlState = fields.sqlState
    message = fields.message
    detail = fields.detail
    isRaised = fields.routine == "exec_stmt_raise"
  }
}
