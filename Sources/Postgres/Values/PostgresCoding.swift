/// A type whose values can be parameters, in PostgreSQL's binary format.
public protocol PostgresEncodable: Sendable {
  /// The type of the parameter; the same for all values, so that a statement is prepared only once.
  static var postgresType: PostgresType { get }

  /// True if the value is an SQL NULL; then ``encode(into:)`` is not called.
  var isPostgresNull: Bool { get }

  /// Appends the value in the binary format of ``postgresType``, without its length.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/encoding`` if the type cannot represent
  ///   it.
  func encode(into writer: inout FieldWriter) throws(PostgresError)
}

extension PostgresEncodable {
  /// False, because only optionals can be null.
  public var isPostgresNull: Bool { false }
}

/// A type whose values can be read from columns, in PostgreSQL's binary format.
public protocol PostgresDecodable: Sendable {
  /// Returns true if a column of this type can be read as this value.
  static func accepts(_ type: PostgresType) -> Bool

  /// The value for an SQL NULL; nil if NULL is an error.
  static var postgresNull: Self? { get }

  /// Decodes one value; the caller reports bytes that are left over as an error.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding`` if the bytes are malformed.
  static func decode(from reader: inout FieldReader) throws(PostgresError) -> Self
}

extension PostgresDecodable {
  /// Nil, because only optionals can be null.
  public static var postgresNull: Self? { nil }
}

extension PostgresDecodable where Self: PostgresEncodable {
  /// Returns true for ``PostgresEncodable/postgresType`` only.
  public static func accepts(_ type: PostgresType) -> Bool { type == postgresType }
}

/// A type that can be an element of an array: every ``PostgresScalar``, and an optional of one.
///
/// Conform to ``PostgresScalar`` instead of this protocol.
public protocol PostgresArrayElement: Sendable {
  /// The type of an array with these elements.
  static var postgresArrayType: PostgresType { get }

  /// Returns true if a column of this type can be read as an array of these elements.
  static func acceptsArray(_ type: PostgresType) -> Bool

  /// Appends the array in PostgreSQL's binary format.
  static func encodeArray(
    _ elements: [Self],
    into writer: inout FieldWriter
  ) throws(PostgresError)

  /// Decodes an array from PostgreSQL's binary format.
  static func decodeArray(from reader: inout FieldReader) throws(PostgresError) -> [Self]
}

/// A type that can be a parameter, a column, and, also as an optional, an element of an array.
public protocol PostgresScalar: PostgresEncodable, PostgresDecodable, PostgresArrayElement {}

extension PostgresScalar {
  /// Returns true for one-dimensional arrays of accepted types, and for user-defined types.
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

  /// Decodes an array from PostgreSQL's binary format.
  public static func decodeArray(from reader: inout FieldReader) throws(PostgresError) -> [Self] {
    try reader.readArray(of: Self.self)
  }
}
