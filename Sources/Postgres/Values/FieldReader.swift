/// The bytes of one field that was not null, read from front to back with every bound checked.
///
/// It is lent to ``PostgresDecodable/decode(from:)`` and cannot be kept: the bytes belong to a
/// result that is freed on the connection's thread.
@safe public struct FieldReader: ~Copyable {
  /// Where the column's name is to be had: it is made for errors alone, of which there are few.
  enum Column {
    case named(String)
    case at(Int, of: LibpqResult)
  }

  private let source: Column

  /// The name of the column, for errors.
  public var column: String {
    switch source {
    case .named(let name): name
    case .at(let index, let result): result.columnName(index)
    }
  }

  /// The type the server gave the field.
  public let type: PostgresType

  // The result that owns these bytes outlives every reader: readers are only made by a row, and
  // can neither be copied nor kept.
  private var rest: UnsafeRawBufferPointer

  @unsafe init(bytes: UnsafeRawBufferPointer, type: PostgresType, column: Column) {
    unsafe rest = bytes
    self.type = type
    source = column
  }

  /// How many bytes are yet to be read.
  public var remaining: Int { unsafe rest.count }

  /// Reads an integer, most significant byte first.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding`` if too few bytes are left.
  public mutating func readInteger<Integer: FixedWidthInteger>(
    as integer: Integer.Type = Integer.self
  ) throws(PostgresError) -> Integer {
    let bytes = unsafe try take(MemoryLayout<Integer>.size)
    return unsafe Integer(bigEndian: bytes.loadUnaligned(as: Integer.self))
  }

  /// Reads that many bytes.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding`` if too few bytes are left.
  public mutating func readBytes(_ count: Int) throws(PostgresError) -> [UInt8] {
    unsafe Array(try take(count))
  }

  /// Reads the rest as UTF-8.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding`` if it is not UTF-8.
  public mutating func readText() throws(PostgresError) -> String {
    let bytes = unsafe try take(remaining)
    guard let text = unsafe String(validating: bytes, as: UTF8.self) else {
      throw malformed("its bytes are not UTF-8")
    }
    return text
  }

  /// The error to throw for bytes that mean nothing: `reason` completes "because …".
  public func malformed(_ reason: String) -> PostgresError {
    PostgresError(.decoding, "Column \"\(column)\" (\(type)) is malformed: \(reason).")
  }

  /// Reads the whole field as a value, having checked its type, and that nothing is left over.
  mutating func decodeAll<Value: PostgresDecodable>(
    as value: Value.Type
  ) throws(PostgresError) -> Value {
    guard Value.accepts(type) else {
      throw PostgresError(
        .decoding,
        "Column \"\(column)\" is \(type) (OID \(type.oid)), which is not \(value)."
      )
    }
    let result = try Value.decode(from: &self)
    guard remaining == 0 else { throw malformed("it has \(remaining) bytes too many") }
    return result
  }

  /// Reads a one-dimensional array: its header, and each element after its length.
  mutating func readArray<Element: PostgresDecodable>(
    of elementType: Element.Type
  ) throws(PostgresError) -> [Element] {
    let dimensions = try readInteger(as: Int32.self)
    _ = try readInteger(as: Int32.self)  // whether there are nulls: each element says so itself
    let type = PostgresType(oid: try readInteger())
    guard dimensions != 0 else { return [] }
    guard dimensions == 1 else { throw malformed("it has \(dimensions) dimensions, not one") }
    let count = Int(try readInteger(as: Int32.self))
    _ = try readInteger(as: Int32.self)  // lower bound
    // An element takes four bytes at least: a count beyond that is not worth reserving for.
    guard count >= 0, count <= remaining / 4 else { throw malformed("its length is impossible") }
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count {
      elements.append(try readElement(type: type))
    }
    return elements
  }

  private mutating func readElement<Element: PostgresDecodable>(
    type: PostgresType
  ) throws(PostgresError) -> Element {
    let length = Int(try readInteger(as: Int32.self))
    if length == -1 {
      guard let null = Element.postgresNull else {
        throw PostgresError(.decoding, "Column \"\(column)\" has an element that is null.")
      }
      return null
    }
    var element = unsafe FieldReader(bytes: try take(length), type: type, column: source)
    return try element.decodeAll(as: Element.self)
  }

  private mutating func take(_ count: Int) throws(PostgresError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else {
      throw malformed("it needs \(count) bytes where \(remaining) are left")
    }
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    return unsafe bytes
  }
}
