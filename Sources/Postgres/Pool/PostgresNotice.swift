/// A message from the server that is not an error, such as a NOTICE or a WARNING.
public struct PostgresNotice: Sendable {
  /// The severity, never translated: `WARNING`, `NOTICE`, `DEBUG`, `INFO`, `LOG`, or `FATAL` when
  /// the server ends an idle session.
  public let severity: String

  /// The SQLSTATE of the condition; `00000` for most notices.
  public let sqlState: SQLState

  /// The message, in one line.
  public let message: String

  /// The DETAIL field, if the notice has one.
  public let detail: String?

  /// True if a RAISE statement in PL/pgSQL sent the notice, and not the server itself.
  public let isRaised: Bool

  init(_ fields: ServerFields) {
    severity = fields.severity
    sqlState = fields.sqlState
    message = fields.message
    detail = fields.detail
    isRaised = fields.routine == "exec_stmt_raise"
  }
}
