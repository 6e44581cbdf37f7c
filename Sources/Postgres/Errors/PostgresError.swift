/// Why a statement, a transaction or a connection did not do what was asked.
///
/// Decide by ``code``, show ``description`` to strangers, and log ``debugDescription``.
public struct PostgresError: Error, Sendable {
  /// What kind of failure it is; closed, so that a `switch` over it is complete.
  public enum Code: Sendable, Hashable {
    /// The server refused or ended the statement, for the reason the state names.
    case server(SQLState)
    /// There is no connection. What was asked for certainly had no effect.
    case connectionUnavailable
    /// The connection broke while the statement was under way. Nobody knows whether it took effect.
    case connectionLost
    /// More is pending than the configured bound allows. Nothing was sent.
    case queueFull
    /// The Swift task was cancelled. The statement had no effect.
    case cancelled
    /// `statement_timeout` ended the statement, or a wait of ours reached its limit.
    case timedOut
    /// The answer is not what the caller expects: an unexpected null, another type, malformed
    /// bytes. The statement itself succeeded, and outside a transaction it is committed.
    case decoding
    /// A parameter has no form in PostgreSQL. Nothing was sent.
    case encoding
    /// One name stands for two statements, or its parameters change their types. Nothing was sent.
    case invalidStatement
    /// The configuration cannot be used: the database URL is malformed, for example.
    case invalidConfiguration
    /// The transaction's block returned, but a statement in it had failed: it was rolled back.
    case transactionAborted
    /// The server or libpq answered out of turn. The connection was given up.
    case protocolViolation
    /// The connection, the pool or the transaction is closed. Nothing was sent.
    case closed
  }

  private final class Storage: Sendable {
    let code: Code
    let message: String
    let detail: String?
    let server: ServerFields?

    init(code: Code, message: String, detail: String?, server: ServerFields?) {
      self.code = code
      self.message = message
      self.detail = detail
      self.server = server
    }
  }

  private let storage: Storage

  /// Makes an error of this side; `message` must be fit for strangers, `detail` need not be.
  public init(_ code: Code, _ message: String, detail: String? = nil) {
    storage = Storage(code: code, message: message, detail: detail, server: nil)
  }

  /// Makes an error from what the server said.
  init(_ code: Code, server: ServerFields) {
    storage = Storage(code: code, message: server.message, detail: server.detail, server: server)
  }

  /// The same report of the server, or the same words, under another code.
  func recoded(_ code: Code) -> PostgresError {
    if let server = storage.server { return PostgresError(code, server: server) }
    return PostgresError(code, storage.message, detail: storage.detail)
  }

  /// What kind of failure it is.
  public var code: Code { storage.code }

  /// What happened in one line. From the server it may quote values: not for strangers.
  public var message: String { storage.message }

  /// The server's SQLSTATE, whatever ``code`` was made of it; nil when the server said nothing.
  public var sqlState: SQLState? {
    if let server = storage.server { return server.sqlState }
    if case .server(let state) = storage.code { return state }
    return nil
  }

  /// More about it, with values: the server's DETAIL, or libpq's own words.
  public var detail: String? { storage.detail }

  /// Whether a plan that the session had cached did not fit the tables any more. The session has
  /// discarded its plans since, so that the statement or its transaction may be run again.
  public var isStalePlan: Bool { storage.server?.isStalePlan ?? false }

  /// Where the server was in the code of functions, innermost first; a line for each call.
  public var context: String? { storage.server?.context }

  /// The server's HINT.
  public var hint: String? { storage.server?.hint }

  /// The constraint that was violated.
  public var constraint: String? { storage.server?.constraint }

  /// The table the failure is about, where the server names one.
  public var table: String? { storage.server?.table }

  /// The column the failure is about, where the server names one.
  public var column: String? { storage.server?.column }

  /// Whether sending it again is safe, because nothing took effect, and may help.
  ///
  /// True for ``Code/connectionUnavailable`` and ``Code/queueFull``; for a serialization failure
  /// (40001) and a deadlock (40P01); for a stale plan (``isStalePlan``); and for the states by which the
  /// server ends a session (57P01 to 57P05, 25P03), which are reported as ``Code/server(_:)`` only
  /// where the session ended before the statement could commit - else they are
  /// ``Code/connectionLost``. In a transaction it is the whole transaction that is to be run
  /// again. False for everything else. It assumes that the statement does not commit by itself
  /// midway, as a procedure or `CREATE INDEX CONCURRENTLY` does.
  public var isRetriable: Bool {
    switch code {
    case .connectionUnavailable, .queueFull:
      true
    case .server(let state):
      state == .serializationFailure || state == .deadlockDetected || state.endsSession
        || isStalePlan
    case .connectionLost, .cancelled, .timedOut, .decoding, .encoding, .invalidStatement,
      .invalidConfiguration, .transactionAborted, .protocolViolation, .closed:
      false
    }
  }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
  /// What happened, without parameter values, the server's words, host names or credentials.
  public var description: String {
    guard let server = storage.server else { return storage.message }
    var text = "PostgreSQL error \(server.sqlState)"
    if let constraint = server.constraint { text += " (constraint \(constraint))" }
    return text
  }

  /// What happened as the server or libpq says it: message, SQLSTATE, detail, hint and context, each on
  /// a line of its own. It may quote values, and has no password.
  public var report: String {
    guard let server = storage.server else {
      // libpq's own words come in several lines.
      let detail = storage.detail?.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      return ([storage.message] + [detail].compactMap(\.self)).joined(separator: ": ")
    }
    let fields = [("detail", server.detail), ("hint", server.hint), ("context", server.context)]
    return
      (["\(server.message) (SQLSTATE \(server.sqlState))"]
      + fields.compactMap { name, text in text.map { "\(name): \($0)" } })
      .joined(separator: "\n")
  }

  /// Everything known, for logs that strangers do not read. It has no password.
  public var debugDescription: String {
    var lines = ["\(code): \(storage.message)"]
    if let detail { lines.append("detail: \(detail)") }
    if let server = storage.server { lines += server.debugLines }
    return lines.joined(separator: "\n")
  }
}

extension PostgresError: Equatable {
  /// Whether both say the same: code, message, detail and the server's fields.
  public static func == (left: PostgresError, right: PostgresError) -> Bool {
    left.code == right.code && left.message == right.message && left.detail == right.detail
      && left.storage.server == right.storage.server
  }
}
