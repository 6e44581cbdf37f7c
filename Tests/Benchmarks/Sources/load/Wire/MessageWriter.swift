/// Encodes a protobuf message, field by field. For what is prepared before the clock runs.
struct MessageWriter {
  private(set) var bytes: [UInt8] = []

  mutating func varint(_ field: UInt32, _ value: UInt64) {
    raw(UInt64(field) << 3)
    raw(value)
  }

  /// Returns where the text begins in the message.
  @discardableResult
  mutating func string(_ field: UInt32, _ value: String) -> Int {
    message(field, Array(value.utf8))
  }

  /// A field of bytes, or a message in the message. Returns where it begins.
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
