/// A data type of PostgreSQL, by its object identifier in `pg_type`.
public struct PostgresType: Sendable, Hashable, CustomStringConvertible {
  /// The object identifier.
  public let oid: UInt32

  /// Makes a type from its object identifier; 0 lets the server infer it.
  public init(oid: UInt32) {
    self.oid = oid
  }

  /// Types made in a database (enumerations, domains of extensions) have identifiers from here on.
  static let firstUserDefined: UInt32 = 16384

  /// Whether it was made by `CREATE TYPE` or an extension, rather than by PostgreSQL itself.
  public var isUserDefined: Bool { oid >= Self.firstUserDefined }

  /// The type of the elements, for the arrays named below; nil for every other type.
  public var element: PostgresType? { Self.elements[self] }

  /// The SQL name of the types named below, else `type with OID …`.
  public var description: String {
    if let name = Self.names[self] { return name }
    if let element, let name = Self.names[element] { return "\(name)[]" }
    return "type with OID \(oid)"
  }
}

extension PostgresType {
  /// The server infers the type.
  public static let inferred = PostgresType(oid: 0)
  /// `boolean`
  public static let bool = PostgresType(oid: 16)
  /// `bytea`
  public static let bytea = PostgresType(oid: 17)
  /// `bigint`
  public static let int8 = PostgresType(oid: 20)
  /// `smallint`
  public static let int2 = PostgresType(oid: 21)
  /// `integer`
  public static let int4 = PostgresType(oid: 23)
  /// `text`
  public static let text = PostgresType(oid: 25)
  /// `json`
  public static let json = PostgresType(oid: 114)
  /// `double precision`
  public static let float8 = PostgresType(oid: 701)
  /// `timestamp with time zone`
  public static let timestamptz = PostgresType(oid: 1184)
  /// `uuid`
  public static let uuid = PostgresType(oid: 2950)
  /// `jsonb`
  public static let jsonb = PostgresType(oid: 3802)

  /// `boolean[]`
  public static let boolArray = PostgresType(oid: 1000)
  /// `bytea[]`
  public static let byteaArray = PostgresType(oid: 1001)
  /// `smallint[]`
  public static let int2Array = PostgresType(oid: 1005)
  /// `integer[]`
  public static let int4Array = PostgresType(oid: 1007)
  /// `text[]`
  public static let textArray = PostgresType(oid: 1009)
  /// `bigint[]`
  public static let int8Array = PostgresType(oid: 1016)
  /// `double precision[]`
  public static let float8Array = PostgresType(oid: 1022)
  /// `timestamp with time zone[]`
  public static let timestamptzArray = PostgresType(oid: 1185)
  /// `uuid[]`
  public static let uuidArray = PostgresType(oid: 2951)
  /// `jsonb[]`
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
