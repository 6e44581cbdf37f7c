/// A version 4 UUID of a fast generator that is not cryptographically secure.
struct RandomUUID: Equatable {
  static let textLength = 36

  private let high: UInt64
  private let low: UInt64

  @inline(__always)
  init(using numbers: inout RandomNumbers) {
    high = numbers.next() & 0xffff_ffff_ffff_0fff | 0x4000
    low = numbers.next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
  }

  private init() {
    high = 0
    low = 0
  }

  /// The value of a call without a reservation.
  static let none = RandomUUID()

  /// Writes the 36 characters of the text, hyphens included.
  @inline(__always)
  func write(to start: UnsafeMutableRawPointer) {
    let words = (
      HexDigits.text(of: UInt32(truncatingIfNeeded: high >> 32)),
      HexDigits.text(of: UInt32(truncatingIfNeeded: high)),
      HexDigits.text(of: UInt32(truncatingIfNeeded: low >> 32)),
      HexDigits.text(of: UInt32(truncatingIfNeeded: low))
    )
    // 8-4-4-4-12: the two words in the middle are split into halves.
    unsafe start.storeBytes(of: words.0, as: UInt64.self)
    unsafe start.storeBytes(
      of: UInt32(truncatingIfNeeded: words.1), toByteOffset: 9, as: UInt32.self)
    unsafe start.storeBytes(
      of: UInt32(truncatingIfNeeded: words.1 >> 32), toByteOffset: 14, as: UInt32.self)
    unsafe start.storeBytes(
      of: UInt32(truncatingIfNeeded: words.2), toByteOffset: 19, as: UInt32.self)
    unsafe start.storeBytes(
      of: UInt32(truncatingIfNeeded: words.2 >> 32), toByteOffset: 24, as: UInt32.self)
    unsafe start.storeBytes(of: words.3, toByteOffset: 28, as: UInt64.self)
    let hyphen = UInt8(ascii: "-")
    unsafe start.storeBytes(of: hyphen, toByteOffset: 8, as: UInt8.self)
    unsafe start.storeBytes(of: hyphen, toByteOffset: 13, as: UInt8.self)
    unsafe start.storeBytes(of: hyphen, toByteOffset: 18, as: UInt8.self)
    unsafe start.storeBytes(of: hyphen, toByteOffset: 23, as: UInt8.self)
  }
}
