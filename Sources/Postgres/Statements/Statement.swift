/// An SQL statement with the placeholders `$1`, `$2`, … for its parameters.
///
/// A statement with a name is prepared on each connection at its first use there; one without a
/// name is parsed each time. A name must always be used with the same SQL and the same parameter
/// types; otherwise the statement fails with ``PostgresError/Code/invalidStatement``.
public struct Statement: Sendable, Hashable {
  /// The maximum length of a name in bytes: PostgreSQL compares 63 bytes, and a suffix may be
  /// added.
  public static let maximumNameLength = 55

  /// The name of the prepared statement; nil if the statement is not prepared.
  public let name: String?

  /// The SQL text, with one statement.
  public let sql: String

  /// The types of the parameters; nil to use the types of the parameters at the first use.
  public let parameterTypes: [PostgresType]?

  /// True if the statement only reads.
  ///
  /// Only such a statement is cancelled after it was sent. PostgreSQL reports a COMMIT that was
  /// cancelled while it waited for a synchronous standby as successful, and a cancel request can
  /// reach a statement that it was not meant for.
  public let isReadOnly: Bool

  /// Creates a statement that is prepared at its first use.
  ///
  /// - Parameters:
  ///   - name: 1 to ``maximumNameLength`` bytes, for example the name of the SQL file.
  ///   - sql: One statement.
  ///   - parameterTypes: The types of the parameters, if they differ from the values' own types.
  ///     The binary formats must be the same: that of `text` also fits `varchar` and enumerations.
  ///   - isReadOnly: True if the statement changes nothing and locks no rows.
  public init(
    name: String, sql: String, parameterTypes: [PostgresType]? = nil, isReadOnly: Bool = false
  ) {
    precondition(
      (1...Self.maximumNameLength).contains(name.utf8.count) && !name.utf8.contains(0),
      "a statement name must have 1 to \(Self.maximumNameLength) bytes: \(name)"
    )
    self.name = name
    self.sql = sql
    self.parameterTypes = parameterTypes
    self.isReadOnly = isReadOnly
  }

  /// Creates a statement without a name, which is parsed each time it is used.
  public init(_ sql: String, isReadOnly: Bool = false) {
    name = nil
    self.sql = sql
    parameterTypes = nil
    self.isReadOnly = isReadOnly
  }
}

extension Statement: ExpressibleByStringLiteral {
  /// Creates a statement without a name, which is parsed each time it is used.
  public init(stringLiteral sql: String) {
    self.init(sql)
  }
}
