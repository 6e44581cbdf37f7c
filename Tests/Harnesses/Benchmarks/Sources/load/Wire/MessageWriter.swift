/// An encoder of protobuf messages, for requests that are prepared before the run.
struct MessageWriter {
  private(set) var bytes: [UInt8] = []

  mutating func varint(_ field: UInt32, _ value: UInt64) {
    raw(UInt64(field) << 3)
    raw(value)
  }

  /// Writes a string field, and returns the offset of the text in the message.
  @discardableResult
  mutating func string(_ field: UInt32, _ value: String) -> Int {
    message(field, Array(value.utf8))
  }

  /// Writes a field of bytes or a nested message, and returns its offset in the message.
  @discardableResult
  mutating func message(_ field: UInt32, _ value: [UInt8]) -> Int {
    raw(UInt64(field) << 3 | 2)
    raw(UInt64(value.count))
    bytes += value
    return bytes.count - value.count
  }

  private mutating func raw(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
