extension Bool: PostgresScalar {
  /// `boolean`
  public static var postgresType: PostgresType { .bool }
  /// `boolean[]`
  public static var postgresArrayType: PostgresType { .boolArray }

  /// Appends one byte.
  public func encode(into writer: inout FieldWriter) { writer.writeInteger(UInt8(self ? 1 : 0)) }

  /// Reads one byte.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Bool {
    try reader.readInteger(as: UInt8.self) != 0
  }
}

extension Double: PostgresScalar {
  /// `double precision`
  public static var postgresType: PostgresType { .float8 }
  /// `double precision[]`
  public static var postgresArrayType: PostgresType { .float8Array }

  /// Appends the eight bytes of IEEE 754.
  public func encode(into writer: inout FieldWriter) { writer.writeInteger(bitPattern) }

  /// Reads the eight bytes of IEEE 754.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> Double {
    Double(bitPattern: try reader.readInteger())
  }
}

extension String: PostgresScalar {
  /// `text`
  public static var postgresType: PostgresType { .text }
  /// `text[]`
  public static var postgresArrayType: PostgresType { .textArray }

  /// `text` and its like, and types made in the database, as enumerations are.
  public static func accepts(_ type: PostgresType) -> Bool {
    type == .text || type == .varchar || type == .bpchar || type == .name || type == .unknown
      || type.isUserDefined
  }

  /// Appends UTF-8.
  ///
  /// - Throws: ``PostgresError`` if it has U+0000, which PostgreSQL's text cannot hold.
  public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    guard !utf8.contains(0) else {
      throw PostgresError(.encoding, "Text with the character U+0000 has no form in PostgreSQL.")
    }
    writer.writeBytes(utf8)
  }

  /// Reads the whole field as UTF-8.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> String {
    try reader.readText()
  }
}

/// A JSON document, as text, stored as `jsonb`.
///
/// Nothing parses the text here: the server does, and refuses what is not JSON.
public struct JSONB: Sendable, Hashable, PostgresScalar {
  /// The document. From the server it comes as `jsonb` writes it, with its own spaces and order.
  public var text: String

  /// Makes a document from its text, unchecked.
  public init(text: String) {
    self.text = text
  }

  /// `jsonb`
  public static var postgresType: PostgresType { .jsonb }
  /// `jsonb[]`
  public static var postgresArrayType: PostgresType { .jsonbArray }

  // The only version of the binary format there has been.
  private static let formatVersion: UInt8 = 1

  /// `jsonb` and `json`
  public static func accepts(_ type: PostgresType) -> Bool { type == .jsonb || type == .json }

  /// Appends the format's version and the text.
  public func encode(into writer: inout FieldWriter) throws(PostgresError) {
    writer.writeInteger(Self.formatVersion)
    try text.encode(into: &writer)
  }

  /// Reads the format's version, which `json` lacks, and the text.
  public static func decode(from reader: inout FieldReader) throws(PostgresError) -> JSONB {
    if reader.type != .json {
      let version = try reader.readInteger(as: UInt8.self)
      guard version == formatVersion else { throw reader.malformed("its version is \(version)") }
    }
    return JSONB(text: try reader.readText())
  }
}
