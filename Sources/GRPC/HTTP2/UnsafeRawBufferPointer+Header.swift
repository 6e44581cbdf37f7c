internal import Glibc

/// Names and values of headers, which are compared without making strings of them.
extension UnsafeRawBufferPointer {
  var text: String { unsafe String(decoding: self, as: UTF8.self) }

  func equals(_ text: StaticString) -> Bool {
    unsafe count == text.utf8CodeUnitCount && hasPrefix(text)
  }

  func equalsIgnoringCase(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount, let start = baseAddress else { return false }
    return unsafe strncasecmp(
      start.assumingMemoryBound(to: CChar.self),
      UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self), count) == 0
  }

  func hasPrefix(_ text: StaticString) -> Bool {
    guard count >= text.utf8CodeUnitCount, let start = baseAddress else { return false }
    return unsafe memcmp(start, text.utf8Start, text.utf8CodeUnitCount) == 0
  }
}
