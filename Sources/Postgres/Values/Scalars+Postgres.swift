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
