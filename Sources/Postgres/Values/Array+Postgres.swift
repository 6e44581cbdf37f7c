extension Array: PostgresEncodable where Element: PostgresArrayElement {
  /// The array type of the elements; `bytea` for `[UInt8]`.
  public static var postgresType: PostgresType { Element.postgresArrayType }

  /// Appends the array in PostgreSQL's binary format.
  public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    try Element.encodeArray(self, into: &writer)
  }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
  /// Returns true for arrays of the types that the elements accept.
  public static func accepts(_ type: PostgresType) -> Bool { Element.acceptsArray(type) }

  /// Decodes an array from PostgreSQL's binary format.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> [Element] {
    try Element.decodeArray(from: &reader)
  }
}

/// Makes `[UInt8]` a `bytea`; PostgreSQL has no type for a single byte.
extension UInt8: PostgresArrayElement {
  /// The type `bytea`.
  public static var postgresArrayType: PostgresType { .bytea }

  /// Returns true for `bytea`.
  public static func acceptsArray(_ type: PostgresType) -> Bool { type == .bytea }

  /// Appends the bytes.
  public static func encodeArray(_ elements: [UInt8], into writer: inout FieldWriter) {
    writer.writeBytes(elements)
  }

  /// Reads the remaining bytes of the field.
  public static func decodeArray(from reader: inout FieldReader) throws(PostgresError) -> [UInt8] {
    try reader.readBytes(reader.remaining)
  }
}

/// Makes `[[UInt8]]` a `bytea[]`.
extension Array: PostgresArrayElement, PostgresScalar where Element == UInt8 {
  /// The type `bytea[]`.
  public static var postgresArrayType: PostgresType { .byteaArray }
}

/// Implements `PostgresScalar` for enumerations by their raw values.
extension PostgresScalar where Self: RawRepresentable, RawValue: PostgresScalar {
  /// The type of the raw value.
  public static var postgresType: PostgresType { RawValue.postgresType }
  /// The array type of the raw value.
  public static var postgresArrayType: PostgresType { RawValue.postgresArrayType }

  /// Returns true for the types that the raw value accepts.
  public static func accepts(_ type: PostgresType) -> Bool { RawValue.accepts(type) }

  /// Appends the raw value.
  public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    try rawValue.encode(into: &writer)
  }

  /// Decodes a raw value.
  ///
  /// - Throws: ``PostgresError`` if no case has the raw value.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Self {
    guard let value = Self(rawValue: try RawValue.decode(from: &reader)) else {
      throw reader.malformed("\(Self.self) has no case with its value")
    }
    return value
  }
}
