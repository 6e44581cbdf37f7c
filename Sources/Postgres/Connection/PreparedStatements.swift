/// The statements that a connection has prepared or is preparing, by name.
struct PreparedStatements {
  /// The form in which a statement is sent.
  enum Form: Equatable {
    case execute(name: String)
    case prepareAndExecute(name: String)
    /// The unnamed statement, which PostgreSQL parses each time.
    case unnamed
  }

  private struct Entry {
    let sql: String
    let types: [PostgresType]
    let serverName: String
  }

  private let limit: Int
  private var entries: [String: Entry] = [:]
  /// The number of statements that were forgotten.
  ///
  /// The next use gets a new name, because PostgreSQL may still have the old statement.
  private var forgottenCount = 0

  init(limit: Int) {
    self.limit = limit
  }

  /// Decides how to send a statement, and records it as prepared.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/invalidStatement`` if the name is
  ///   already used for different SQL, or the parameters do not match the prepared types.
  mutating func form(
    of statement: Statement,
    _ parameters: Parameters
  ) throws(PostgresError) -> Form {
    guard let name = statement.name else { return .unnamed }
    if let entry = entries[name] {
      guard entry.sql == statement.sql,
        parameters.fields.lazy.map(\.type).elementsEqual(entry.types)
      else {
        throw PostgresError(
          .invalidStatement,
          "the statement name \"\(name)\" is already used for different SQL or parameter types"
        )
      }
      return .execute(name: entry.serverName)
    }
    guard entries.count < limit else { return .unnamed }
    let serverName = forgottenCount == 0 ? name : "\(name)~\(forgottenCount)"
    entries[name] = Entry(sql: statement.sql, types: parameters.types, serverName: serverName)
    return .prepareAndExecute(name: serverName)
  }

  /// Forgets a statement that could not be prepared or executed; its next use prepares it again.
  mutating func forget(_ statement: Statement) {
    guard let name = statement.name, entries.removeValue(forKey: name) != nil else { return }
    forgottenCount += 1
  }
}
