/// The bytes of one non-null field, read from front to back with bounds checks.
///
/// It is valid only within ``PostgresDecodable/decode(from:)``: the bytes belong to a result that
/// is freed on the connection's thread.
@safe public struct FieldReader: ~Copyable {
  /// The column's name or its position; the name is looked up only for errors.
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

  /// The type of the field, as reported by the server.
  public let type: PostgresType

  // Safe because the result that owns the bytes outlives every reader: only a row creates readers,
  // and they cannot be copied or stored.
  private var rest: UnsafeRawBufferPointer

  @unsafe init(bytes: UnsafeRawBufferPointer, type: PostgresType, column: Column) {
    unsafe rest = bytes
    self.type = type
    source = column
  }

  /// The number of bytes that are not read yet.
  public var remaining: Int { unsafe rest.count }

  /// Reads an integer in big-endian byte order.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding`` if too few bytes are left.
  public mutating func readInteger<Integer: FixedWidthInteger>(
    as integer: Integer.Type = Integer.self
  ) throws(PostgresError) -> Integer {
    let bytes = unsafe try take(MemoryLayout<Integer>.size)
    return unsafe Integer(bigEndian: bytes.loadUnaligned(as: Integer.self))
  }

  /// Reads a number of bytes.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding`` if too few bytes are left.
  public mutating func readBytes(_ count: Int) throws(PostgresError) -> [UInt8] {
    unsafe Array(try take(count))
  }

  /// Reads the remaining bytes as UTF-8.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding`` if they are not valid UTF-8.
  public mutating func readText() throws(PostgresError) -> String {
    let bytes = unsafe try take(remaining)
    guard let text = unsafe String(validating: bytes, as: UTF8.self) else {
      throw malformed("it is not valid UTF-8")
    }
    return text
  }

  /// Returns the error for malformed bytes; `reason` follows "column … is malformed: ".
  public func malformed(_ reason: String) -> PostgresError {
    PostgresError(.decoding, "column \"\(column)\" (\(type)) is malformed: \(reason)")
  }

  /// Decodes the whole field, after checking its type; bytes that are left over are an error.
  mutating func decodeAll<Value: PostgresDecodable>(
    as value: Value.Type
  ) throws(PostgresError) -> Value {
    guard Value.accepts(type) else {
      throw PostgresError(
        .decoding,
        "column \"\(column)\" is \(type) (OID \(type.oid)), which cannot be read as \(value)"
      )
    }
    let result = try Value.decode(from: &self)
    guard remaining == 0 else { throw malformed("it has \(remaining) extra bytes") }
    return result
  }

  /// Reads a one-dimensional array: a header, then each element preceded by its length.
  mutating func readArray<Element: PostgresDecodable>(
    of elementType: Element.Type
  ) throws(PostgresError) -> [Element] {
    let dimensions = try readInteger(as: Int32.self)
    _ = try readInteger(as: Int32.self)  // the has-nulls flag: nulls are recognized by length
    let type = PostgresType(oid: try readInteger())
    guard dimensions != 0 else { return [] }
    guard dimensions == 1 else { throw malformed("it has \(dimensions) dimensions instead of one") }
    let count = Int(try readInteger(as: Int32.self))
    _ = try readInteger(as: Int32.self)  // lower bound
    // Each element takes at least four bytes, so this bounds the memory reserved below.
    guard count >= 0, count <= remaining / 4 else { throw malformed("its length is invalid") }
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
        throw PostgresError(.decoding, "column \"\(column)\" has a null element")
      }
      return null
    }
    var element = unsafe FieldReader(bytes: try take(length), type: type, column: source)
    return try element.decodeAll(as: Element.self)
  }

  private mutating func take(_ count: Int) throws(PostgresError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else {
      throw malformed("\(count) bytes are needed, but \(remaining) are left")
    }
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    return unsafe bytes
  }
}

/// The buffer to which values are encoded in PostgreSQL's binary format, in big-endian byte order.
public struct FieldWriter: Sendable {
  /// The bytes written so far, including those of earlier parameters.
  private(set) var bytes: [UInt8]

  init(bytes: [UInt8] = []) {
    self.bytes = bytes
  }

  /// Appends an integer in big-endian byte order.
  public mutating func writeInteger<Integer: FixedWidthInteger>(_ value: Integer) {
    var shift = Integer.bitWidth
    while shift > 0 {
      shift -= 8
      bytes.append(UInt8(truncatingIfNeeded: value >> Integer(truncatingIfNeeded: shift)))
    }
  }

  /// Appends bytes unchanged.
  public mutating func writeBytes(_ more: some Sequence<UInt8>) {
    bytes.append(contentsOf: more)
  }

  /// Appends a one-dimensional array: a header, then each element preceded by its length.
  mutating func writeArray<Element: PostgresEncodable>(
    _ elements: [Element]
  ) throws(PostgresError) {
    guard let count = Int32(exactly: elements.count) else {
      throw PostgresError(.encoding, "the array has too many elements for PostgreSQL")
    }
    writeInteger(Int32(count == 0 ? 0 : 1))  // dimensions
    writeInteger(Int32(elements.contains(where: \.isPostgresNull) ? 1 : 0))
    writeInteger(Element.postgresType.oid)
    guard count > 0 else { return }
    writeInteger(count)
    writeInteger(Int32(1))  // lower bound
    for element in elements {
      try writeElement(element)
    }
  }

  private mutating func writeElement(_ element: some PostgresEncodable) throws(PostgresError) {
    let start = bytes.count
    writeInteger(Int32(-1))
    if element.isPostgresNull { return }
    try element.encode(into: &self)
    guard let length = Int32(exactly: bytes.count - start - 4) else {
      throw PostgresError(.encoding, "an element of the array exceeds \(Int32.max) bytes")
    }
    for place in 0..<4 {
      bytes[start + place] = UInt8(truncatingIfNeeded: length >> Int32(24 - place * 8))
    }
  }
}
