/// Which statements a connection has prepared, or is preparing, and under which names.
struct PreparedStatements {
  /// How to send a statement.
  enum Plan: Equatable {
    case execute(name: String)
    case prepareAndExecute(name: String)
    /// Without a name, parsed each time.
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

  /// Decides how to send a statement, taking for granted that what is decided is done.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/invalidStatement`` if the name stands for
  ///   other SQL, or the parameters do not fit the types it was prepared with.
  mutating func plan(
    _ statement: Statement,
    _ parameters: Parameters
  ) throws(PostgresError) -> Plan {
    if let types = statement.parameterTypes, types.count != parameters.count {
      throw PostgresError(
        .invalidStatement,
        "A statement has \(types.count) parameters, and \(parameters.count) were given."
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
          "The name \"\(name)\" stands for another statement, or other types."
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

  /// Forgets a statement that could not be prepared, or can no longer be executed: the next use
  /// prepares it, under a name that was not used before.
  mutating func forget(_ statement: Statement) {
    guard let name = statement.name, entries.removeValue(forKey: name) != nil else { return }
    forgotten += 1
  }
}
