@testable import load

/// Decodes the fields of a message in order, or returns nil if it is malformed.
func fields(_ message: [UInt8]) -> [Field]? {
  unsafe message.withUnsafeBytes { bytes in
    var scanner = unsafe FieldScanner(bytes)
    var result: [Field] = []
    while scanner.next() {
      unsafe result.append(
        Field(number: scanner.field, value: scanner.value, bytes: Array(scanner.bytes)))
    }
    return scanner.isMalformed ? nil : result
  }
}

struct Field: Equatable {
  var number: UInt64
  var value: UInt64 = 0
  var bytes: [UInt8] = []

  var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Returns the bytes that `write` writes.
func written(_ count: Int, _ write: (UnsafeMutableRawPointer) -> Void) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  unsafe bytes.withUnsafeMutableBytes { buffer in
    if let base = buffer.baseAddress { unsafe write(base) }
  }
  return bytes
}
