/// The bytes of one non-null field, read from front to back with bounds checks.
///
/// It is valid only within ``PostgresDecodable/decode(from:)``: the bytes belong to a result that
/// is freed on the connection's thread.
@safe public struct FieldReader: ~Copyable {
  /// The column's name or its position; the name is looked up only for errors.
  @safe enum Column {
    case named(String)
    // Safe although it is not retained, since the result outlives every reader.
    case at(Int, of: Unmanaged<LibpqResult>)
  }

  private let source: Column

  /// The name of the column, for errors.
  public var column: String {
    switch source {
    case .named(let name): name
    case .at(let index, let result): unsafe result.takeUnretainedValue().columnName(index)
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
  @inlinable mutating func decodeAll<Value: PostgresDecodable>(
    as value: Value.Type
  ) throws(PostgresError) -> Value {
    guard Value.accepts(type) else { throw cannotBeRead(as: value) }
    let result = try Value.decode(from: &self)
    try checkEnd()
    return result
  }

  @usableFromInline func cannotBeRead(as value: any PostgresDecodable.Type) -> PostgresError {
    PostgresError(
      .decoding,
      "column \"\(column)\" is \(type) (OID \(type.oid)), which cannot be read as \(value)"
    )
  }

  @usableFromInline func checkEnd() throws(PostgresError) {
    guard remaining == 0 else { throw malformed("it has \(remaining) extra bytes") }
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
  @usableFromInline private(set) var bytes: [UInt8]

  init(bytes: [UInt8] = []) {
    self.bytes = bytes
  }

  /// Appends an integer in big-endian byte order.
  public mutating func writeInteger<Integer: FixedWidthInteger>(_ value: Integer) {
    unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
  }

  /// Appends bytes unchanged.
  public mutating func writeBytes(_ more: some Sequence<UInt8>) {
    bytes.append(contentsOf: more)
  }

  /// Appends a one-dimensional array: a header, then each element preceded by its length.
  @inlinable mutating func writeArray<Element: PostgresEncodable>(
    _ elements: [Element]
  ) throws(PostgresError) {
    try writeArrayHeader(
      of: Element.postgresType, count: elements.count,
      hasNulls: elements.contains { $0.isPostgresNull })
    for element in elements {
      let start = bytes.count
      writeNull()
      if element.isPostgresNull { continue }
      try element.encode(into: &self)
      try setLength(of: start)
    }
  }

  @usableFromInline mutating func writeArrayHeader(
    of type: PostgresType, count: Int, hasNulls: Bool
  ) throws(PostgresError) {
    guard let count = Int32(exactly: count) else {
      throw PostgresError(.encoding, "the array has too many elements for PostgreSQL")
    }
    writeInteger(Int32(count == 0 ? 0 : 1))  // dimensions
    writeInteger(Int32(hasNulls ? 1 : 0))
    writeInteger(type.oid)
    guard count > 0 else { return }
    writeInteger(count)
    writeInteger(Int32(1))  // lower bound
  }

  /// Appends the length of a null; ``setLength(of:)`` replaces it if the element is not null.
  @usableFromInline mutating func writeNull() { writeInteger(Int32(-1)) }

  /// Writes the length of the element that begins at `start` and ends here.
  @usableFromInline mutating func setLength(of start: Int) throws(PostgresError) {
    guard let length = Int32(exactly: bytes.count - start - 4) else {
      throw PostgresError(.encoding, "an element of the array exceeds \(Int32.max) bytes")
    }
    for place in 0..<4 {
      bytes[start + place] = UInt8(truncatingIfNeeded: length >> Int32(24 - place * 8))
    }
  }
}
