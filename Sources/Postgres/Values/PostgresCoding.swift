/// A value that can be a parameter, in PostgreSQL's binary format.
public protocol PostgresEncodable: Sendable {
  /// The type the server is told; the same for every value, so that a statement is prepared once.
  static var postgresType: PostgresType { get }

  /// Whether the value is SQL's NULL; then ``encode(into:)`` is not called.
  var isPostgresNull: Bool { get }

  /// Appends the value in the binary format of ``postgresType``, without a length before it.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/encoding`` if it has no form there.
  func encode(into writer: inout FieldWriter) throws(PostgresError)
}

extension PostgresEncodable {
  /// False: only optionals are ever null.
  public var isPostgresNull: Bool { false }
}

/// A value that can be read from a column, in PostgreSQL's binary format.
public protocol PostgresDecodable: Sendable {
  /// Whether a column of this type can be read as this value.
  static func accepts(_ type: PostgresType) -> Bool

  /// What SQL's NULL is read as; nil if a null is an error.
  static var postgresNull: Self? { get }

  /// Reads one value; bytes left over are an error, which the caller raises.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding`` for malformed bytes.
  static func decode(from reader: inout FieldReader) throws(PostgresError) -> Self
}

extension PostgresDecodable {
  /// Nil: only optionals can be null.
  public static var postgresNull: Self? { nil }
}

extension PostgresDecodable where Self: PostgresEncodable {
  /// Whether it is the very type that is sent.
  public static func accepts(_ type: PostgresType) -> Bool { type == postgresType }
}

/// What an array can consist of: every ``PostgresScalar``, and an optional of one.
///
/// Not for conformances of your own: conform to ``PostgresScalar``.
public protocol PostgresArrayElement: Sendable {
  /// The type of an array of these.
  static var postgresArrayType: PostgresType { get }

  /// Whether a column of this type can be read as an array of these.
  static func acceptsArray(_ type: PostgresType) -> Bool

  /// Appends the array in PostgreSQL's binary format.
  static func encodeArray(
    _ elements: [Self],
    into writer: inout FieldWriter
  ) throws(PostgresError)

  /// Reads an array in PostgreSQL's binary format.
  static func decodeArray(from reader: inout FieldReader) throws(PostgresError) -> [Self]
}

/// A single value that travels both ways, alone, optional, and as an element of an array.
public protocol PostgresScalar: PostgresEncodable, PostgresDecodable, PostgresArrayElement {}

extension PostgresScalar {
  /// Whether it is a one-dimensional array of something readable.
  public static func acceptsArray(_ type: PostgresType) -> Bool {
    type.element.map(accepts) ?? type.isUserDefined
  }

  /// Appends the array in PostgreSQL's binary format.
  public static func encodeArray(
    _ elements: [Self],
    into writer: inout FieldWriter
  ) throws(PostgresError) {
    try writer.writeArray(elements)
  }

  /// Reads an array in PostgreSQL's binary format.
  public static func decodeArray(from reader: inout FieldReader) throws(PostgresError) -> [Self] {
    try reader.readArray(of: Self.self)
  }
}
