public import FoundationEssentials

extension Bool: PostgresScalar {
  /// The type `boolean`.
  public static var postgresType: PostgresType { .bool }
  /// The type `boolean[]`.
  public static var postgresArrayType: PostgresType { .boolArray }

  /// Appends one byte.
  public func encode(into writer: inout FieldWriter) { writer.writeInteger(UInt8(self ? 1 : 0)) }

  /// Reads one byte.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Bool {
    try reader.readInteger(as: UInt8.self) != 0
  }
}

extension Double: PostgresScalar {
  /// The type `double precision`.
  public static var postgresType: PostgresType { .float8 }
  /// The type `double precision[]`.
  public static var postgresArrayType: PostgresType { .float8Array }

  /// Appends the eight bytes of the IEEE 754 format.
  public func encode(into writer: inout FieldWriter) { writer.writeInteger(bitPattern) }

  /// Reads the eight bytes of the IEEE 754 format.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Double {
    Double(bitPattern: try reader.readInteger())
  }
}

extension String: PostgresScalar {
  /// The type `text`.
  public static var postgresType: PostgresType { .text }
  /// The type `text[]`.
  public static var postgresArrayType: PostgresType { .textArray }

  /// Returns true for `text`, similar types, and user-defined types such as enumerations.
  public static func accepts(_ type: PostgresType) -> Bool {
    type == .text || type == .varchar || type == .bpchar || type == .name || type == .unknown
      || type.isUserDefined
  }

  /// Appends the text as UTF-8.
  ///
  /// - Throws: ``PostgresError`` if it contains U+0000, which PostgreSQL cannot store.
  public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    guard !utf8.contains(0) else {
      throw PostgresError(.encoding, "the text contains U+0000, which PostgreSQL cannot store")
    }
    writer.writeBytes(utf8)
  }

  /// Reads the remaining bytes of the field as UTF-8.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> String {
    try reader.readText()
  }
}

/// A JSON document, as text, that is stored as `jsonb`.
///
/// The client does not parse the text; the server rejects invalid JSON.
public struct JSONB: Sendable, Hashable, PostgresScalar {
  /// The JSON text; the server returns it in the spacing and order of `jsonb`.
  public var text: String

  /// Creates a document from its text, which is not checked.
  public init(text: String) {
    self.text = text
  }

  /// The type `jsonb`.
  public static var postgresType: PostgresType { .jsonb }
  /// The type `jsonb[]`.
  public static var postgresArrayType: PostgresType { .jsonbArray }

  // The only version of the binary format so far.
  private static let formatVersion: UInt8 = 1

  /// Returns true for `jsonb` and `json`.
  public static func accepts(_ type: PostgresType) -> Bool { type == .jsonb || type == .json }

  /// Appends the version of the format and the text.
  public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    writer.writeInteger(Self.formatVersion)
    try text.encode(into: &writer)
  }

  /// Reads the version of the format, which `json` lacks, and the text.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> JSONB {
    if reader.type != .json {
      let version = try reader.readInteger(as: UInt8.self)
      guard version == formatVersion else { throw reader.malformed("its version is \(version)") }
    }
    return JSONB(text: try reader.readText())
  }
}

extension Int16: PostgresScalar {
  /// The type `smallint`.
  public static var postgresType: PostgresType { .int2 }
  /// The type `smallint[]`.
  public static var postgresArrayType: PostgresType { .int2Array }

  /// Appends two bytes.
  public func encode(into writer: inout FieldWriter) { writer.writeInteger(self) }

  /// Reads two bytes.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Int16 {
    try reader.readInteger()
  }
}

extension Int32: PostgresScalar {
  /// The type `integer`.
  public static var postgresType: PostgresType { .int4 }
  /// The type `integer[]`.
  public static var postgresArrayType: PostgresType { .int4Array }

  /// Returns true for `integer` and `smallint`.
  public static func accepts(_ type: PostgresType) -> Bool { type == .int4 || type == .int2 }

  /// Appends four bytes.
  public func encode(into writer: inout FieldWriter) { writer.writeInteger(self) }

  /// Reads the two or four bytes of the column's type.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Int32 {
    reader.type == .int2 ? Int32(try reader.readInteger(as: Int16.self)) : try reader.readInteger()
  }
}

extension Int64: PostgresScalar {
  /// The type `bigint`.
  public static var postgresType: PostgresType { .int8 }
  /// The type `bigint[]`.
  public static var postgresArrayType: PostgresType { .int8Array }

  /// Returns true for `bigint`, `integer` and `smallint`.
  public static func accepts(_ type: PostgresType) -> Bool {
    type == .int8 || Int32.accepts(type)
  }

  /// Appends eight bytes.
  public func encode(into writer: inout FieldWriter) { writer.writeInteger(self) }

  /// Reads the two, four or eight bytes of the column's type.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Int64 {
    reader.type == .int8 ? try reader.readInteger() : Int64(try Int32.decode(from: &reader))
  }
}

extension Int: PostgresScalar {
  /// The type `bigint`.
  public static var postgresType: PostgresType { .int8 }
  /// The type `bigint[]`.
  public static var postgresArrayType: PostgresType { .int8Array }

  /// Returns true for `bigint`, `integer` and `smallint`.
  public static func accepts(_ type: PostgresType) -> Bool { Int64.accepts(type) }

  /// Appends eight bytes.
  public func encode(into writer: inout FieldWriter) { writer.writeInteger(Int64(self)) }

  /// Reads the two, four or eight bytes of the column's type.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Int {
    Int(try Int64.decode(from: &reader))
  }
}

extension UUID: PostgresScalar {
  /// The type `uuid`.
  public static var postgresType: PostgresType { .uuid }
  /// The type `uuid[]`.
  public static var postgresArrayType: PostgresType { .uuidArray }

  /// Appends sixteen bytes.
  public func encode(into writer: inout FieldWriter) {
    let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) = uuid
    writer.writeInteger(UInt64(bytes: (a, b, c, d, e, f, g, h)))
    writer.writeInteger(UInt64(bytes: (i, j, k, l, m, n, o, p)))
  }

  /// Reads sixteen bytes.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> UUID {
    let (a, b, c, d, e, f, g, h) = try reader.readInteger(as: UInt64.self).bytes
    let (i, j, k, l, m, n, o, p) = try reader.readInteger(as: UInt64.self).bytes
    return UUID(uuid: (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p))
  }
}

extension UInt64 {
  fileprivate typealias Bytes = (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8)

  /// Creates an integer from bytes in big-endian order; a tuple avoids the allocation of an array.
  fileprivate init(bytes: Bytes) {
    let high =
      UInt64(bytes.0) << 56 | UInt64(bytes.1) << 48 | UInt64(bytes.2) << 40 | UInt64(bytes.3) << 32
    let low =
      UInt64(bytes.4) << 24 | UInt64(bytes.5) << 16 | UInt64(bytes.6) << 8 | UInt64(bytes.7)
    self = high | low
  }

  fileprivate var bytes: Bytes {
    func byte(_ place: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: self >> (56 - place * 8)) }
    return (byte(0), byte(1), byte(2), byte(3), byte(4), byte(5), byte(6), byte(7))
  }
}

/// Encodes a date as `timestamp with time zone`, exact to the microsecond from 1858 to 2143.
///
/// `Date` counts seconds from 2001 in a `Double`, whose 53 bits hold microseconds for 142 years in
/// either direction; outside of that range the nearest `Date` is used.
extension Date: PostgresScalar {
  /// The type `timestamp with time zone`.
  public static var postgresType: PostgresType { .timestamptz }
  /// The type `timestamp with time zone[]`.
  public static var postgresArrayType: PostgresType { .timestamptzArray }

  // PostgreSQL counts microseconds from 2000-01-01, Date seconds from 2001-01-01, both in UTC.
  private static let referenceInPostgres: Int64 = 31_622_400_000_000
  // The bounds of `timestamptz`: 4714-11-24 BC and the end of 294276 AD.
  private static let representable: ClosedRange<Int64> =
    -211_813_488_000_000_000...9_223_371_331_199_999_999

  /// Appends microseconds since 2000-01-01, rounded to the nearest.
  ///
  /// - Throws: ``PostgresError`` if the date is outside the range of `timestamptz`, or not a
  ///   number.
  public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    let sinceReference = Int64(
      exactly: (timeIntervalSinceReferenceDate * 1_000_000).rounded()
    )
    let (microseconds, overflow) =
      (sinceReference ?? .max).addingReportingOverflow(Self.referenceInPostgres)
    guard !overflow, Self.representable.contains(microseconds) else {
      throw PostgresError(
        .encoding, "the date is outside the range of timestamp with time zone")
    }
    writer.writeInteger(microseconds)
  }

  /// Reads microseconds since 2000-01-01.
  ///
  /// - Throws: ``PostgresError`` for `infinity` and `-infinity`, which `Date` cannot represent.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Date {
    let microseconds = try reader.readInteger(as: Int64.self)
    guard representable.contains(microseconds) else {
      throw reader.malformed("it is infinite, which Date cannot represent")
    }
    let sinceReference = microseconds - referenceInPostgres
    return Date(timeIntervalSinceReferenceDate: Double(sinceReference) / 1_000_000)
  }
}
