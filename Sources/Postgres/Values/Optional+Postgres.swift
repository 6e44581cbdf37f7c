extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
  /// The type of the wrapped value.
  public static var postgresType: PostgresType { Wrapped.postgresType }

  /// True for nil.
  public var isPostgresNull: Bool { self?.isPostgresNull ?? true }

  /// Appends the wrapped value; appends nothing for nil.
  public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    try self?.encode(into: &writer)
  }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
  /// Returns true for the types that the wrapped value accepts.
  public static func accepts(_ type: PostgresType) -> Bool { Wrapped.accepts(type) }

  /// The value nil.
  public static var postgresNull: Wrapped?? { .some(nil) }

  /// Decodes the wrapped value.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Wrapped? {
    try Wrapped.decode(from: &reader)
  }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresScalar {
  /// The array type of the wrapped value.
  public static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }

  /// Returns true for the array types that the wrapped value accepts.
  public static func acceptsArray(_ type: PostgresType) -> Bool { Wrapped.acceptsArray(type) }

  /// Appends an array whose elements may be null.
  public static func encodeArray(
    _ elements: [Wrapped?],
    into writer: inout FieldWriter
  ) throws(PostgresError) {
    try writer.writeArray(elements)
  }

  /// Decodes an array whose elements may be null.
  public static func decodeArray(
    from reader: inout FieldReader
  ) throws(PostgresError) -> [Wrapped?] {
    try reader.readArray(of: Wrapped?.self)
  }
}
