internal import MockupSchema
public import Postgres

/// Whether a server can work with its database, and if not, why.
public enum DatabaseCondition: Sendable, Hashable {
  case ready
  /// There is no connection, or the database answers no statement for now; with the reason.
  case unreachable(String)
  /// Statements are sent, and nothing comes back.
  case hanging
  /// Transactions cannot write, on a hot standby or by `default_transaction_read_only`.
  case readOnly(isStandby: Bool)
  /// The schema is not the one of this program: older, newer, or changed; with the difference.
  case wrongSchema(String)
  /// The database refuses to tell, for lack of privileges for example; with its words.
  case refused(String)

  /// The message for callers; nil if the database is ready.
  public var message: String? {
    switch self {
    case .ready: nil
    case .unreachable: "the database is not reachable"
    case .hanging: "the database does not answer"
    case .readOnly: "the database is read-only"
    case .wrongSchema: "the database has another schema than this server needs"
    case .refused: "the database refuses the server's login"
    }
  }

  /// The details for operators, beyond ``message``.
  public var detail: String? {
    switch self {
    case .ready, .hanging: nil
    case .readOnly(isStandby: true): "it is a hot standby"
    case .readOnly(isStandby: false): "default_transaction_read_only is on"
    case .unreachable(let reason), .wrongSchema(let reason), .refused(let reason): reason
    }
  }
}

/// Finds out whether a server can work with a database.
public struct DatabaseCheck: Sendable {
  private let migrator: Migrator

  /// Prepares the check; `configuration` is the server's.
  public init(configuration: PostgresConfiguration) throws(MigrationError) {
    migrator = try Schema.migrator(configuration: configuration)
  }

  /// Asks the database. It takes as long as the database takes to answer.
  public func condition(on connection: some StatementExecutor) async -> DatabaseCondition {
    do throws(PostgresError) {
      let facts = try await connection.query(Queries.checkDatabase) { row throws(PostgresError) in
        (isStandby: try row.decode(Bool.self, at: 0), isReadOnly: try row.decode(Bool.self, at: 1))
      }
      guard let facts = facts.first else { throw .unexpectedAnswer("check") }
      if facts.isReadOnly { return .readOnly(isStandby: facts.isStandby) }
    } catch {
      return Self.condition(of: error)
    }
    do throws(MigrationError) {
      let pending = try await migrator.status(on: connection).pending
      guard pending.isEmpty else {
        return .wrongSchema("it lacks \(Self.summary(of: pending)): run `mockupd migrate`")
      }
      return .ready
    } catch {
      if let cause = error.cause { return Self.condition(of: cause) }
      return .wrongSchema(error.message)
    }
  }

  /// The first migrations of each kind, and how many more there are.
  private static func summary(of pending: MigrationSet) -> String {
    func list(_ names: [String], _ kind: String) -> String? {
      guard let first = names.first else { return nil }
      let others = names.count - 1
      return "\(kind) \(first)" + (others > 0 ? " and \(others) more" : "")
    }
    return [
      list(pending.versioned.map { "\($0.version) (\($0.name))" }, "migration"),
      list(pending.repeatable.map(\.name), "function"),
    ].compactMap(\.self).joined(separator: ", ")
  }

  private static func condition(of error: PostgresError) -> DatabaseCondition {
    guard !error.isTransient else { return .unreachable(error.report) }
    let advice =
      error.sqlState == .insufficientPrivilege
      ? ": is the login a member of mockupd_service?" : ""
    return .refused(error.report + advice)
  }
}

extension PostgresError {
  /// Whether the statement is not at fault, and may succeed at another time: the database is
  /// unreachable, busy, read-only, out of resources, or about to stop.
  public var isTransient: Bool {
    switch code {
    case .connectionUnavailable, .connectionLost, .timedOut, .closed, .queueFull: true
    case .server(let state):
      // Connection exceptions, insufficient resources, operator intervention, system errors.
      isRetriable || ["08", "53", "57", "58"].contains(state.conditionClass)
        || state == .readOnlyTransaction || state == .lockNotAvailable
    case .cancelled, .decoding, .encoding, .invalidStatement, .invalidConfiguration,
      .transactionAborted, .protocolViolation:
      false
    }
  }
}
