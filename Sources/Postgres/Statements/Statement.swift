/// An SQL statement with `$1`, `$2`, … for its parameters.
///
/// With a name it is prepared on each connection when first used there, and only executed from
/// then on; without one it is parsed each time. One name must always stand for the same SQL and the
/// same types: otherwise ``PostgresError/Code/invalidStatement``.
public struct Statement: Sendable, Hashable {
  /// The most bytes of a name; PostgreSQL tells names apart by 63, and we append a few.
  public static let maximumNameLength = 55

  /// What the server calls it; nil if it is not to be prepared.
  public let name: String?

  /// The statement.
  public let sql: String

  /// The types of the parameters; nil to take them from the parameters of the first use.
  public let parameterTypes: [PostgresType]?

  /// Names a statement, to be prepared on first use.
  ///
  /// - Parameters:
  ///   - name: Up to ``maximumNameLength`` bytes, not empty, for example the name of its file.
  ///   - sql: One statement.
  ///   - parameterTypes: Needed only where a type other than the parameter's own is meant; its binary form
  ///     must be the same, as that of `varchar` and of enumerations is that of `text`.
  public init(name: String, sql: String, parameterTypes: [PostgresType]? = nil) {
    precondition(
      (1...Self.maximumNameLength).contains(name.utf8.count) && !name.utf8.contains(0),
      "a statement's name has 1 to \(Self.maximumNameLength) bytes: \(name)"
    )
    self.name = name
    self.sql = sql
    self.parameterTypes = parameterTypes
  }

  /// Makes a statement that is parsed each time it is used.
  public init(_ sql: String) {
    name = nil
    self.sql = sql
    parameterTypes = nil
  }
}

extension Statement: ExpressibleByStringLiteral {
  /// Makes a statement that is parsed each time it is used.
  public init(stringLiteral sql: String) {
    self.init(sql)
  }
}
