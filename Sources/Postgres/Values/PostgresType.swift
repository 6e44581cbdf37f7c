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
