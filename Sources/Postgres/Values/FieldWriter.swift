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
