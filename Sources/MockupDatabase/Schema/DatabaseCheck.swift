internal import MockupSchema
public import Postgres

/// The condition of the database, from the point of view of the server.
public enum DatabaseCondition: Sendable, Hashable {
  /// The server can use the database.
  case ready
  /// No connection is possible, or the database fails temporarily; with the reason.
  case unreachable(String)
  /// The database does not respond to statements.
  case hanging
  /// The database responds, but does not complete writes, for example because a synchronous standby
  /// is missing.
  case writesHanging
  /// Transactions cannot write: on a hot standby, or because of `default_transaction_read_only`.
  case readOnly(isStandby: Bool)
  /// The schema is older or newer than this program's, or was changed; with the difference.
  case wrongSchema(String)
  /// The database refuses the check, for example for lack of privileges; with its error.
  case refused(String)

  /// The message for callers, or nil if the database is ready.
  public var message: String? {
    switch self {
    case .ready: nil
    case .unreachable: "the database is not reachable"
    case .hanging: "the database does not answer"
    case .writesHanging: "the database does not complete writes"
    case .readOnly: "the database is read-only"
    case .wrongSchema: "the database schema does not match this server"
    case .refused: "the database refuses the server's login"
    }
  }

  /// The details for operators, or nil if there is nothing to add to ``message``.
  public var detail: String? {
    switch self {
    case .ready, .hanging: nil
    case .writesHanging: "a synchronous standby may be missing"
    case .readOnly(isStandby: true): "the database is a hot standby"
    case .readOnly(isStandby: false): "default_transaction_read_only is on"
    case .unreachable(let reason): Self.detail(reason, after: message ?? "")
    case .wrongSchema(let reason), .refused(let reason): reason
    }
  }

  /// Returns a reason without a message with which it begins, or nil if it is that message.
  ///
  /// The report of an error of the connection begins with the message of the condition.
  private static func detail(_ reason: String, after message: String) -> String? {
    if reason == message { return nil }
    let start = "\(message): "
    return reason.hasPrefix(start) ? String(reason.dropFirst(start.count)) : reason
  }
}

/// A check that finds out whether the server can use its database.
public struct DatabaseCheck: Sendable {
  private let migrator: Migrator

  /// Creates a check.
  ///
  /// - Parameter configuration: The configuration of the server's connections.
  /// - Throws: `MigrationError` if the program's list of migrations is invalid.
  public init(configuration: PostgresConfiguration) throws(MigrationError) {
    migrator = try Schema.migrator(configuration: configuration)
  }

  /// Checks the database.
  ///
  /// The call has no time limit of its own, and never returns ``DatabaseCondition/hanging``.
  ///
  /// - Parameter connection: The connection or pool to check.
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
      let status = try await migrator.status(on: connection)
      guard status.pending.isEmpty else {
        return .wrongSchema("\(Self.pending(in: status)); run `mockupd migrate`")
      }
    } catch {
      if let cause = error.cause { return Self.condition(of: cause) }
      return .wrongSchema(error.message)
    }
    return .ready
  }

  /// Tests whether commits complete.
  ///
  /// The write is a message of some bytes in the write-ahead log.
  ///
  /// - Parameters:
  ///   - partition: The partition of a proxy database; otherwise 0.
  ///   - connection: The connection to use.
  public func write(
    in partition: Int, on connection: some StatementExecutor
  ) async -> DatabaseCondition {
    do throws(PostgresError) {
      try await connection.execute(Queries.testWrite, Parameters(Int32(partition)))
      return .ready
    } catch {
      return Self.condition(of: error)
    }
  }

  /// Returns the first pending migration of each kind, with the number of the others.
  private static func pending(in status: MigrationStatus) -> String {
    func list(_ names: [String], _ kind: String) -> String? {
      guard let first = names.first else { return nil }
      let others = names.count - 1
      return "\(kind) \(first)" + (others > 0 ? " and \(others) more" : "")
    }
    let functions = status.pending.repeatable.map(\.name)
    return [
      list(
        status.pending.versioned.map { "\($0.version) (\($0.name))" }, "missing migration"),
      list(functions.filter { !status.outdated.contains($0) }, "missing function"),
      list(functions.filter(status.outdated.contains), "outdated function"),
    ].compactMap(\.self).joined(separator: ", ")
  }

  private static func condition(of error: PostgresError) -> DatabaseCondition {
    if error.code == .connectionUnavailable, error.sqlState == .readOnlyTransaction {
      return .readOnly(isStandby: error.isStandby)
    }
    guard !error.isTransient else { return .unreachable(error.report) }
    let advice =
      error.sqlState == .insufficientPrivilege
      ? "; the login must be a member of mockupd_service" : ""
    return .refused(error.report + advice)
  }
}

extension PostgresError {
  /// A Boolean value that indicates whether the same statement may succeed later.
  ///
  /// It is true if the database is unreachable, busy, read-only, out of resources or shutting down.
  public var isTransient: Bool {
    switch code {
    case .connectionUnavailable, .connectionLost, .replicationUncertain, .timedOut, .closed,
      .queueFull:
      true
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
