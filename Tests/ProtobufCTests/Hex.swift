/// Decodes pairs of hexadecimal digits, and ignores whitespace.
func hex(_ text: String) -> [UInt8] {
  let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map {
    UInt8(digits[$0] * 16 + digits[$0 + 1])
  }
}

/// Encodes a length-delimited field.
func record(_ number: Int, _ payload: [UInt8]) -> [UInt8] {
  varint(UInt64(number << 3 | 2)) + varint(UInt64(payload.count)) + payload
}

func varint(_ value: UInt64) -> [UInt8] {
  var bytes: [UInt8] = []
  var rest = value
  while rest >= 0x80 {
    bytes.append(UInt8(rest & 0x7F) | 0x80)
    rest >>= 7
  }
  return bytes + [UInt8(rest)]
}
