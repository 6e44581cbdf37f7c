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
  @inlinable public var isPostgresNull: Bool { false }
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
  @inlinable public static var postgresNull: Self? { nil }
}

extension PostgresDecodable where Self: PostgresEncodable {
  /// Returns true for ``PostgresEncodable/postgresType`` only.
  @inlinable public static func accepts(_ type: PostgresType) -> Bool { type == postgresType }
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
public protocol PostgresScalar: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
  /// Appends an array whose elements may be null.
  ///
  /// A requirement, so that the loop over the elements is specialized for each type.
  static func encodeArray(
    ofOptionals elements: [Self?],
    into writer: inout FieldWriter
  ) throws(PostgresError)
}

extension PostgresScalar {
  /// Returns true for one-dimensional arrays of accepted types, and for user-defined types.
  public static func acceptsArray(_ type: PostgresType) -> Bool {
    type.element.map(accepts) ?? type.isUserDefined
  }

  /// Appends the array in PostgreSQL's binary format.
  @inlinable public static func encodeArray(
    _ elements: [Self],
    into writer: inout FieldWriter
  ) throws(PostgresError) {
    try writer.writeArray(elements)
  }

  /// Appends an array whose elements may be null.
  @inlinable public static func encodeArray(
    ofOptionals elements: [Self?],
    into writer: inout FieldWriter
  ) throws(PostgresError) {
    try writer.writeArray(elements)
  }

  /// Decodes an array from PostgreSQL's binary format.
  public static func decodeArray(from reader: inout FieldReader) throws(PostgresError) -> [Self] {
    try reader.readArray(of: Self.self)
  }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
  /// The type of the wrapped value.
  @inlinable public static var postgresType: PostgresType { Wrapped.postgresType }

  /// True for nil.
  @inlinable public var isPostgresNull: Bool { self?.isPostgresNull ?? true }

  /// Appends the wrapped value; appends nothing for nil.
  @inlinable public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    try self?.encode(into: &writer)
  }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
  /// Returns true for the types that the wrapped value accepts.
  @inlinable public static func accepts(_ type: PostgresType) -> Bool { Wrapped.accepts(type) }

  /// The value nil.
  @inlinable public static var postgresNull: Wrapped?? { .some(nil) }

  /// Decodes the wrapped value.
  @inlinable public static func decode(
    from reader: inout FieldReader
  ) throws(PostgresError) -> Wrapped? {
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
    try Wrapped.encodeArray(ofOptionals: elements, into: &writer)
  }

  /// Decodes an array whose elements may be null.
  public static func decodeArray(
    from reader: inout FieldReader
  ) throws(PostgresError) -> [Wrapped?] {
    try reader.readArray(of: Wrapped?.self)
  }
}

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
  @inlinable public static var postgresType: PostgresType { RawValue.postgresType }
  /// The array type of the raw value.
  public static var postgresArrayType: PostgresType { RawValue.postgresArrayType }

  /// Returns true for the types that the raw value accepts.
  @inlinable public static func accepts(_ type: PostgresType) -> Bool { RawValue.accepts(type) }

  /// Appends the raw value.
  @inlinable public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    try rawValue.encode(into: &writer)
  }

  /// Decodes a raw value.
  ///
  /// - Throws: ``PostgresError`` if no case has the raw value.
  @inlinable public static func decode(
    from reader: inout FieldReader
  ) throws(PostgresError) -> Self {
    guard let value = Self(rawValue: try RawValue.decode(from: &reader)) else {
      throw reader.malformed("\(Self.self) has no case with its value")
    }
    return value
  }
}

/// A data type of PostgreSQL, identified by its OID in `pg_type`.
public struct PostgresType: Sendable, Hashable, CustomStringConvertible {
  /// The OID of the type in `pg_type`; 0 for ``inferred``.
  public let oid: UInt32

  /// Creates a type from its OID; 0 lets the server infer the type.
  public init(oid: UInt32) {
    self.oid = oid
  }

  /// The lowest OID of types that are not built in, such as enumerations and extensions' types.
  static let firstUserDefined: UInt32 = 16384

  /// True if the type was created by `CREATE TYPE` or an extension and is not built in.
  public var isUserDefined: Bool { oid >= Self.firstUserDefined }

  /// The element type of the array types below; nil for every other type.
  public var element: PostgresType? { Self.elements[self] }

  /// The SQL name of the types below, or `type with OID …`.
  public var description: String {
    if let name = Self.names[self] { return name }
    if let element, let name = Self.names[element] { return "\(name)[]" }
    return "type with OID \(oid)"
  }
}

extension PostgresType {
  /// No type: the server infers it.
  public static let inferred = PostgresType(oid: 0)
  /// The type `boolean`.
  public static let bool = PostgresType(oid: 16)
  /// The type `bytea`.
  public static let bytea = PostgresType(oid: 17)
  /// The type `bigint`.
  public static let int8 = PostgresType(oid: 20)
  /// The type `smallint`.
  public static let int2 = PostgresType(oid: 21)
  /// The type `integer`.
  public static let int4 = PostgresType(oid: 23)
  /// The type `text`.
  public static let text = PostgresType(oid: 25)
  /// The type `json`.
  public static let json = PostgresType(oid: 114)
  /// The type `double precision`.
  public static let float8 = PostgresType(oid: 701)
  /// The type `timestamp with time zone`.
  public static let timestamptz = PostgresType(oid: 1184)
  /// The type `uuid`.
  public static let uuid = PostgresType(oid: 2950)
  /// The type `jsonb`.
  public static let jsonb = PostgresType(oid: 3802)

  /// The type `boolean[]`.
  public static let boolArray = PostgresType(oid: 1000)
  /// The type `bytea[]`.
  public static let byteaArray = PostgresType(oid: 1001)
  /// The type `smallint[]`.
  public static let int2Array = PostgresType(oid: 1005)
  /// The type `integer[]`.
  public static let int4Array = PostgresType(oid: 1007)
  /// The type `text[]`.
  public static let textArray = PostgresType(oid: 1009)
  /// The type `bigint[]`.
  public static let int8Array = PostgresType(oid: 1016)
  /// The type `double precision[]`.
  public static let float8Array = PostgresType(oid: 1022)
  /// The type `timestamp with time zone[]`.
  public static let timestamptzArray = PostgresType(oid: 1185)
  /// The type `uuid[]`.
  public static let uuidArray = PostgresType(oid: 2951)
  /// The type `jsonb[]`.
  public static let jsonbArray = PostgresType(oid: 3807)

  static let name = PostgresType(oid: 19)
  static let unknown = PostgresType(oid: 705)
  static let bpchar = PostgresType(oid: 1042)
  static let varchar = PostgresType(oid: 1043)
  private static let jsonArray = PostgresType(oid: 199)
  private static let nameArray = PostgresType(oid: 1003)
  private static let bpcharArray = PostgresType(oid: 1014)
  private static let varcharArray = PostgresType(oid: 1015)

  private static let elements: [PostgresType: PostgresType] = [
    .boolArray: .bool, .byteaArray: .bytea, .int2Array: .int2, .int4Array: .int4,
    .textArray: .text, .int8Array: .int8, .float8Array: .float8,
    .timestamptzArray: .timestamptz, .uuidArray: .uuid,
    .jsonbArray: .jsonb, .jsonArray: .json, .nameArray: .name, .bpcharArray: .bpchar,
    .varcharArray: .varchar,
  ]

  private static let names: [PostgresType: String] = [
    .bool: "boolean", .bytea: "bytea", .int8: "bigint", .int2: "smallint", .int4: "integer",
    .text: "text", .json: "json", .float8: "double precision",
    .timestamptz: "timestamp with time zone", .uuid: "uuid",
    .jsonb: "jsonb", .name: "name", .unknown: "unknown", .bpchar: "character",
    .varchar: "character varying",
  ]
}
