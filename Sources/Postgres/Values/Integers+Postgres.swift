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
