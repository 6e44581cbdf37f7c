/// The HTTP/2 frames that a client of gRPC sends.
enum GRPCFrames {
  private static func integer(_ value: Int, bytes: Int = 4) -> [UInt8] {
    (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  static func frame(
    _ type: UInt8, flags: UInt8 = 0, _ streamID: Int, _ payload: [UInt8] = []
  ) -> [UInt8] {
    integer(payload.count, bytes: 3) + [type, flags] + integer(streamID) + payload
  }

  /// The preface, the settings with the window of each stream, and the acknowledgment of the
  /// server's settings.
  static func preface(window: Int = 65_535) -> [UInt8] {
    Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, [0, 4] + integer(window))
      + frame(4, flags: 1, 0)
  }

  /// The headers that open a stream.
  ///
  /// - Parameters:
  ///   - isLast: True if the client sends nothing more on the stream.
  ///   - isComplete: False if CONTINUATION frames follow.
  static func open(
    _ path: String, _ streamID: Int, isLast: Bool = false, isComplete: Bool = true
  ) -> [UInt8] {
    let headers = [
      (":method", "POST"), (":scheme", "http"), (":path", path),
      ("content-type", "application/grpc"), ("te", "trailers"), ("grpc-encoding", "gzip"),
    ]
    var list: [UInt8] = []
    for (name, value) in headers { list += [0] + string(name) + string(value) }
    return frame(1, flags: (isLast ? 1 : 0) | (isComplete ? 4 : 0), streamID, list)
  }

  /// A string without Huffman coding (RFC 7541, section 5.2).
  private static func string(_ text: String) -> [UInt8] {
    var rest = text.utf8.count
    guard rest >= 127 else { return [UInt8(rest)] + text.utf8 }
    var length: [UInt8] = [127]
    rest -= 127
    while rest >= 128 {
      length.append(UInt8(rest % 128) | 128)
      rest /= 128
    }
    return length + [UInt8(rest)] + text.utf8
  }

  static func message(
    _ bytes: [UInt8], _ streamID: Int, isCompressed: Bool = false, isLast: Bool = true
  ) -> [UInt8] {
    frame(
      0, flags: isLast ? 1 : 0, streamID, [isCompressed ? 1 : 0] + integer(bytes.count) + bytes)
  }

  static func reset(_ streamID: Int) -> [UInt8] { frame(3, streamID, integer(8)) }

  static func ping() -> [UInt8] { frame(6, 0, [UInt8](repeating: 0, count: 8)) }

  static let check = "/grpc.health.v1.Health/Check"
  static let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"

  /// A stream that stays open, with a request whose response is the description of a service.
  static func describe(_ streamID: Int) -> [UInt8] {
    let symbol = Array("mockups.v1.CreditService".utf8)
    return open(reflection, streamID)
      + message([0x22, UInt8(symbol.count)] + symbol, streamID, isLast: false)
  }

  /// Four MiB of zeros as a gzip member, as the message of a call.
  static let bomb = Gzip.compress([UInt8](repeating: 0, count: 4 << 20))
}
