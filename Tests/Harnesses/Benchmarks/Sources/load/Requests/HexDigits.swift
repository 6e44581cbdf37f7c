/// A converter of numbers to hexadecimal digits, eight at a time.
enum HexDigits {
  /// Returns the eight lower-case digits of a number, as a word whose bytes in little-endian memory
  /// are the text.
  ///
  /// Three steps spread the nibbles to a byte each. All eight then become ASCII at once: adding 6
  /// carries into the upper nibble exactly if the digit is a letter.
  @inline(__always)
  static func text(of number: UInt32) -> UInt64 {
    var digits = UInt64(number.byteSwapped)
    digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff
    digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff
    digits = (digits >> 4) & 0x000f_000f_000f_000f | (digits << 8) & 0x0f00_0f00_0f00_0f00
    let letters = ((digits &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
    return digits &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
  }
}
