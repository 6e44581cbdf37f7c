extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
  /// The type of the value when there is one.
  public static var postgresType: PostgresType { Wrapped.postgresType }

  /// Whether there is no value.
  public var isPostgresNull: Bool { self?.isPostgresNull ?? true }

  /// Appends the value; nothing for nil.
  public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    try self?.encode(into: &writer)
  }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
  /// What the value accepts.
  public static func accepts(_ type: PostgresType) -> Bool { Wrapped.accepts(type) }

  /// Nil.
  public static var postgresNull: Wrapped?? { .some(nil) }

  /// Reads the value.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Wrapped? {
    try Wrapped.decode(from: &reader)
  }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresScalar {
  /// The type of an array of the value.
  public static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }

  /// What an array of the value accepts.
  public static func acceptsArray(_ type: PostgresType) -> Bool { Wrapped.acceptsArray(type) }

  /// Appends an array with nulls.
  public static func encodeArray(
    _ elements: [Wrapped?],
    into writer: inout FieldWriter
  ) throws(PostgresError) {
    try writer.writeArray(elements)
  }

  /// Reads an array with nulls.
  public static func decodeArray(
    from reader: inout FieldReader
  ) throws(PostgresError) -> [Wrapped?] {
    try reader.readArray(of: Wrapped?.self)
  }
}
