/// Frames of containerd's Go client and server, recorded from the wire.
enum Recorded {
  /// The bytes that a client sends and receives.
  struct Exchange: Sendable {
    var name: String
    var isStream = true
    var sent: [UInt8]
    var received: [UInt8]
  }

  static let echo = Exchange(
    name: "a unary call with a timeout and metadata", isStream: false,
    sent: bytes(
      "0000001b 00000001 0100 0a0170 12044563686f 1a020829 208094ebdc03 2a060a016b120176"),
    received: bytes("00000004 00000001 0200 1202082a"))

  static let all = [
    echo,
    Exchange(
      name: "an unknown service", isStream: false,
      sent: Frame.request(5, "Echo", service: "nope").bytes,
      received: bytes("00000012 00000005 0200 0a10080c120c73657276696365206e6f7065")),
    Exchange(
      name: "an unknown method", isStream: false, sent: Frame.request(7, "nope").bytes,
      received: bytes("00000011 00000007 0200 0a0f080c120b6d6574686f64206e6f7065")),
    Exchange(
      name: "a server stream", sent: bytes("00000009 00000009 0101 0a0170 12044d616e79"),
      received: bytes("00000002 00000009 0300 0801 00000000 00000009 0305")),
    Exchange(
      name: "a bidirectional stream",
      sent: bytes(
        "00000009 0000000b 0102 0a0170 120442696469 00000002 0000000b 0300 0829"
          + "00000000 0000000b 0305"),
      received: bytes("00000002 0000000b 0300 082a 00000000 0000000b 0305")),
    Exchange(
      name: "a client stream",
      sent: bytes(
        "00000008 0000000d 0102 0a0170 120353756d 00000002 0000000d 0300 0829"
          + "00000000 0000000d 0305"),
      received: bytes("00000004 0000000d 0200 12020801")),
    Exchange(
      name: "a stream that fails after a message",
      sent: Frame.request(15, "Boom", flags: 0x01).bytes,
      received: bytes("00000002 0000000f 0300 0801 0000000a 0000000f 0200 0a0808021204626f6f6d")),
  ]

  /// Decodes hexadecimal digits, and ignores whitespace.
  static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }
}
