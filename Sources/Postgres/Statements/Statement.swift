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
  ///   - isReadOnly: True if the statement changes nothing and locks no rows.
  public init(name: String, sql: String, isReadOnly: Bool = false) {
    precondition(
      (1...Self.maximumNameLength).contains(name.utf8.count) && !name.utf8.contains(0),
      "a statement name must have 1 to \(Self.maximumNameLength) bytes: \(name)"
    )
    self.name = name
    self.sql = sql
    self.isReadOnly = isReadOnly
  }

  /// Creates a statement without a name, which is parsed each time it is used.
  public init(_ sql: String, isReadOnly: Bool = false) {
    name = nil
    self.sql = sql
    self.isReadOnly = isReadOnly
  }
}

extension Statement: ExpressibleByStringLiteral {
  /// Creates a statement without a name, which is parsed each time it is used.
  public init(stringLiteral sql: String) {
    self.init(sql)
  }
}

/// The values of a statement's `$1`, `$2`, …, each with its type, in PostgreSQL's binary format.
///
/// If PostgreSQL cannot represent a value, the statement that uses the parameters fails with
/// ``PostgresError/Code/encoding``, before anything is sent.
public struct Parameters: Sendable {
  /// The maximum number of parameters of a statement; the protocol counts them in 16 bits.
  public static let maximumCount = 65_535

  /// The position of a value in `bytes`; nil for a null.
  struct Field: Sendable, Equatable {
    var type: PostgresType
    var range: Range<Int>?
  }

  private(set) var fields: [Field] = []
  private(set) var failure: PostgresError?
  // The extra byte in front gives an empty value a valid address.
  private var writer = FieldWriter(bytes: [0])

  /// Creates an empty list of parameters.
  public init() {}

  /// Creates parameters from the values, in order.
  public init<each Value: PostgresEncodable>(_ values: repeat each Value) {
    repeat append(each values)
  }

  /// Adds a value as the next parameter.
  public mutating func append(_ value: some PostgresEncodable) {
    let type = Swift.type(of: value).postgresType
    guard failure == nil else { return }
    guard fields.count < Self.maximumCount else {
      failure = PostgresError(
        .encoding,
        "a statement can have at most \(Self.maximumCount) parameters"
      )
      return
    }
    guard !value.isPostgresNull else {
      fields.append(Field(type: type, range: nil))
      return
    }
    do throws(PostgresError) {
      let start = writer.bytes.count
      try value.encode(into: &writer)
      let length = writer.bytes.count - start
      fields.append(Field(type: type, range: start..<writer.bytes.count))
      if length > Int32.max {
        failure = PostgresError(.encoding, "parameter $\(fields.count) exceeds \(Int32.max) bytes")
      }
    } catch {
      failure = PostgresError(.encoding, "parameter $\(fields.count + 1): \(error.message)")
    }
  }

  /// The number of parameters.
  public var count: Int { fields.count }

  /// The types of the parameters, in order.
  public var types: [PostgresType] { fields.map(\.type) }

  var bytes: [UInt8] { writer.bytes }
}

extension Parameters: ExpressibleByArrayLiteral {
  /// Creates parameters from a list such as `[id, "text", Optional<Int>.none]`.
  public init(arrayLiteral elements: any PostgresEncodable...) {
    for element in elements { append(element) }
  }
}

/// A type that runs statements: ``Pool``, ``Connection`` and ``Transaction``.
public protocol StatementExecutor: Sendable {
  /// Runs a statement and decodes each row of its result.
  ///
  /// `decode` runs on a connection's thread and delays everything else there, so it should only
  /// create a value.
  ///
  /// If the task is cancelled, a statement that was not sent yet is dropped, and one that only
  /// reads (``Statement/isReadOnly``) is cancelled. A statement that was sent and may write runs to
  /// its end.
  ///
  /// - Throws: ``PostgresError``: ``PostgresError/Code/cancelled`` if the task was cancelled and
  ///   the statement had no effect.
  func query<Value: Sendable>(
    _ statement: Statement,
    _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> [Value]

  /// Runs a statement and returns the number of rows it inserted, updated, deleted or selected.
  ///
  /// - Throws: ``PostgresError``, as ``query(_:_:_:)`` does.
  @discardableResult
  func execute(_ statement: Statement, _ parameters: Parameters) async throws(PostgresError) -> Int
}

extension StatementExecutor {
  /// Runs a statement without parameters and decodes each row of its result.
  public func query<Value: Sendable>(
    _ statement: Statement,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> [Value] {
    try await query(statement, Parameters(), decode)
  }

  /// Runs a statement without parameters and returns the number of affected rows.
  @discardableResult
  public func execute(_ statement: Statement) async throws(PostgresError) -> Int {
    try await execute(statement, Parameters())
  }
}
