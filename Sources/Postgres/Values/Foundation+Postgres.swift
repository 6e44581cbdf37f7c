public import FoundationEssentials

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
