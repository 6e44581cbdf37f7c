extension Array: PostgresEncodable where Element: PostgresArrayElement {
  /// The array's type; `bytea` for `[UInt8]`.
  public static var postgresType: PostgresType { Element.postgresArrayType }

  /// Appends the elements.
  public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    try Element.encodeArray(self, into: &writer)
  }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
  /// Whether it is an array of what the element accepts.
  public static func accepts(_ type: PostgresType) -> Bool { Element.acceptsArray(type) }

  /// Reads the elements.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> [Element] {
    try Element.decodeArray(from: &reader)
  }
}

/// Only so that `[UInt8]` is `bytea`: PostgreSQL has no type for a single byte.
extension UInt8: PostgresArrayElement {
  /// `bytea`
  public static var postgresArrayType: PostgresType { .bytea }

  /// `bytea`
  public static func acceptsArray(_ type: PostgresType) -> Bool { type == .bytea }

  /// Appends the bytes.
  public static func encodeArray(_ elements: [UInt8], into writer: inout FieldWriter) {
    writer.writeBytes(elements)
  }

  /// Reads the whole field.
  public static func decodeArray(from reader: inout FieldReader) throws(PostgresError) -> [UInt8] {
    try reader.readBytes(reader.remaining)
  }
}

/// So that `[[UInt8]]` is `bytea[]`.
extension Array: PostgresArrayElement, PostgresScalar where Element == UInt8 {
  /// `bytea[]`
  public static var postgresArrayType: PostgresType { .byteaArray }
}

/// So that an enumeration with raw values needs only to say `PostgresScalar`.
extension PostgresScalar where Self: RawRepresentable, RawValue: PostgresScalar {
  /// The raw value's type.
  public static var postgresType: PostgresType { RawValue.postgresType }
  /// The raw value's array type.
  public static var postgresArrayType: PostgresType { RawValue.postgresArrayType }

  /// What the raw value accepts.
  public static func accepts(_ type: PostgresType) -> Bool { RawValue.accepts(type) }

  /// Appends the raw value.
  public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    try rawValue.encode(into: &writer)
  }

  /// Reads a raw value.
  ///
  /// - Throws: ``PostgresError`` if no case has it.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Self {
    guard let value = Self(rawValue: try RawValue.decode(from: &reader)) else {
      throw reader.malformed("no \(Self.self) has its value")
    }
    return value
  }
}
