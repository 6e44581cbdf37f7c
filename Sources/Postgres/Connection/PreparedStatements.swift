/// The statements that a connection has prepared or is preparing, by name.
struct PreparedStatements {
  /// The way to send a statement.
  enum Plan: Equatable {
    case execute(name: String)
    case prepareAndExecute(name: String)
    /// Send it unnamed, so that it is parsed each time.
    case parse
  }

  private struct Entry {
    let sql: String
    let types: [PostgresType]
    let serverName: String
  }

  private let limit: Int
  private var entries: [String: Entry] = [:]
  private var forgotten = 0

  init(limit: Int) {
    self.limit = limit
  }

  /// Decides how to send a statement, and records it as prepared.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/invalidStatement`` if the name is
  ///   already used for different SQL, or the parameters do not match the prepared types.
  mutating func plan(
    _ statement: Statement,
    _ parameters: Parameters
  ) throws(PostgresError) -> Plan {
    if let types = statement.parameterTypes, types.count != parameters.count {
      throw PostgresError(
        .invalidStatement,
        "the statement takes \(types.count) parameters, but \(parameters.count) were given"
      )
    }
    guard let name = statement.name else { return .parse }
    if let entry = entries[name] {
      let types = entry.types
      guard entry.sql == statement.sql,
        statement.parameterTypes.map({ $0 == types })
          ?? parameters.fields.lazy.map(\.type).elementsEqual(types)
      else {
        throw PostgresError(
          .invalidStatement,
          "the statement name \"\(name)\" is already used for different SQL or parameter types"
        )
      }
      return .execute(name: entry.serverName)
    }
    guard entries.count < limit else { return .parse }
    let serverName = forgotten == 0 ? name : "\(name)~\(forgotten)"
    entries[name] = Entry(
      sql: statement.sql,
      types: statement.parameterTypes ?? parameters.types,
      serverName: serverName
    )
    return .prepareAndExecute(name: serverName)
  }

  /// Forgets a statement that could not be prepared or executed; its next use prepares it again,
  /// under a name that was not used before.
  mutating func forget(_ statement: Statement) {
    guard let name = statement.name, entries.removeValue(forKey: name) != nil else { return }
    forgotten += 1
  }
}
