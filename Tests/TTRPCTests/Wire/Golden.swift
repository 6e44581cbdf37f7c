import NIOCore

/// Frames of containerd's Go client and server, recorded from the wire.
enum Golden {
  /// A unary call of `p/Echo` with `{1: 41}`, a one-second timeout and metadata `k: v`,
  /// on stream 1.
  static let echoRequest = bytes(
    "0000001b 00000001 01 00 0a0170 12044563686f 1a020829 2080 94ebdc03 2a060a016b120176")
  /// The answer to ``echoRequest``, `{1: 42}`.
  static let echoResponse = bytes("00000004 00000001 02 00 1202082a")
  /// The answer to a call of an unknown service, on stream 5.
  static let unknownService = bytes(
    "00000012 00000005 02 00 0a10080c120c73657276696365 206e6f7065")
  /// The answer to a call of an unknown method, on stream 7.
  static let unknownMethod = bytes("00000011 00000007 02 00 0a0f080c120b6d6574686f64206e6f7065")

  /// A server stream of `p/Many` on stream 9: an empty request, a message, and the stream's end.
  static let serverStream = (
    request: bytes("00000009 00000009 01 01 0a0170 12044d616e79"),
    message: bytes("00000002 00000009 03 00 0801"), end: bytes("00000000 00000009 03 05")
  )
  /// A bidirectional stream of `p/Bidi` on stream 11: the request, a message in each direction, and
  /// the stream's end, which both sides send.
  static let bidirectional = (
    request: bytes("00000009 0000000b 01 02 0a0170 120442696469"),
    message: bytes("00000002 0000000b 03 00 0829"), answer: bytes("00000002 0000000b 03 00 082a"),
    end: bytes("00000000 0000000b 03 05")
  )
  /// A client stream of `p/Sum` on stream 13: the request, a message, the stream's end, and the
  /// answer, which is the number of messages.
  static let clientStream = (
    request: bytes("00000008 0000000d 01 02 0a0170 120353756d"),
    message: bytes("00000002 0000000d 03 00 0829"), end: bytes("00000000 0000000d 03 05"),
    answer: bytes("00000004 0000000d 02 00 12020801")
  )
  /// The frames of a stream that fails after one message, on stream 15.
  static let brokenStream = (
    message: bytes("00000002 0000000f 03 00 0801"),
    status: bytes("0000000a 0000000f 02 00 0a080802 1204626f6f6d")
  )

  /// Decodes hexadecimal digits, and ignores whitespace.
  static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }
}
