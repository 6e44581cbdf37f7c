import NIOCore

/// Frames as containerd's Go client and server write them, recorded from the wire.
enum Golden {
  /// A unary call of `p/Echo` with `{1: 41}`, a timeout of one second and metadata `k: v`, on stream 1.
  static let echoRequest = bytes(
    "0000001b 00000001 01 00 0a0170 12044563686f 1a020829 2080 94ebdc03 2a060a016b120176")
  /// Its answer, `{1: 42}`.
  static let echoResponse = bytes("00000004 00000001 02 00 1202082a")
  /// What an unknown service gets, on stream 5.
  static let unknownService = bytes(
    "00000012 00000005 02 00 0a10080c120c73657276696365 206e6f7065")
  /// What an unknown method gets, on stream 7.
  static let unknownMethod = bytes("00000011 00000007 02 00 0a0f080c120b6d6574686f64206e6f7065")

  /// The bytes of their hexadecimal digits; blanks are for the reader.
  static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }
}
