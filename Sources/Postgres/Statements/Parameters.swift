/// The values of a statement's `$1`, `$2`, …, each with its type, in PostgreSQL's binary format.
///
/// If PostgreSQL cannot represent a value, the statement that uses the parameters fails with
/// ``PostgresError/Code/encoding``, before anything is sent.
public struct Parameters: Sendable {
  /// The maximum number of parameters of a statement; the protocol counts them in 16 bits.
  public static let maximumCount = 65_535

  /// The position of a value in `bytes`; nil for a null.
  struct Field: Sendable, Equatable {
    var type: PostgresType
    var range: Range<Int>?
  }

  private(set) var fields: [Field] = []
  private(set) var failure: PostgresError?
  // The extra byte in front gives an empty value a valid address.
  private var writer = FieldWriter(bytes: [0])

  /// Creates an empty list of parameters.
  public init() {}

  /// Creates parameters from the values, in order.
  public init<each Value: PostgresEncodable>(_ values: repeat each Value) {
    repeat append(each values)
  }

  /// Adds a value as the next parameter.
  public mutating func append(_ value: some PostgresEncodable) {
    let type = Swift.type(of: value).postgresType
    guard failure == nil else { return }
    guard fields.count < Self.maximumCount else {
      failure = PostgresError(
        .encoding,
        "a statement can have at most \(Self.maximumCount) parameters"
      )
      return
    }
    guard !value.isPostgresNull else {
      fields.append(Field(type: type, range: nil))
      return
    }
    do throws(PostgresError) {
      let start = writer.bytes.count
      try value.encode(into: &writer)
      let length = writer.bytes.count - start
      fields.append(Field(type: type, range: start..<writer.bytes.count))
      if length > Int32.max {
        failure = PostgresError(.encoding, "parameter $\(fields.count) exceeds \(Int32.max) bytes")
      }
    } catch {
      failure = PostgresError(.encoding, "parameter $\(fields.count + 1): \(error.message)")
    }
  }

  /// The number of parameters.
  public var count: Int { fields.count }

  /// The types of the parameters, in order.
  public var types: [PostgresType] { fields.map(\.type) }

  var bytes: [UInt8] { writer.bytes }
}

extension Parameters: ExpressibleByArrayLiteral {
  /// Creates parameters from a list such as `[id, "text", Optional<Int>.none]`.
  public init(arrayLiteral elements: any PostgresEncodable...) {
    for element in elements { append(element) }
  }
}
