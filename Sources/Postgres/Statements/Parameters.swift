/// The values for a statement's `$1`, `$2`, …, each with its type, in binary.
///
/// A value that has no form in PostgreSQL is noticed here and reported by the statement that is
/// given the parameters, with ``PostgresError/Code/encoding``, before anything is sent.
public struct Parameters: Sendable {
  /// The most parameters of one statement: the protocol counts them in 16 bits.
  public static let maximumCount = 65_535

  /// Where a value lies in `bytes`; a null lies nowhere.
  struct Field: Sendable, Equatable {
    var type: PostgresType
    var range: Range<Int>?
  }

  private(set) var fields: [Field] = []
  private(set) var failure: PostgresError?
  // One byte ahead, so that there is an address for an empty value to lie at.
  private var writer = FieldWriter(bytes: [0])

  /// Makes no parameters.
  public init() {}

  /// Makes parameters from the values, in order.
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
        "A statement has more than \(Self.maximumCount) parameters."
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
        failure = PostgresError(.encoding, "Parameter $\(fields.count) is larger than allowed.")
      }
    } catch {
      failure = PostgresError(.encoding, "Parameter $\(fields.count + 1): \(error.message)")
    }
  }

  /// How many there are.
  public var count: Int { fields.count }

  /// The type of each.
  public var types: [PostgresType] { fields.map(\.type) }

  var bytes: [UInt8] { writer.bytes }
}

extension Parameters: ExpressibleByArrayLiteral {
  /// Makes parameters from a list such as `[id, "text", Optional<Int>.none]`.
  public init(arrayLiteral elements: any PostgresEncodable...) {
    for element in elements { append(element) }
  }
}
