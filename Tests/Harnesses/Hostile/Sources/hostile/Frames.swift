/// The frames that a client sends.
enum Frames {
  private static func integer(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static func field(_ number: UInt8, _ text: String) -> [UInt8] {
    var bytes = [number << 3 | 2]
    var rest = text.utf8.count
    while rest > 0x7f {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)] + text.utf8
  }

  static func request(
    _ streamID: Int, _ service: String, _ method: String, flags: UInt8 = 0
  ) -> [UInt8] {
    let envelope = field(1, service) + field(2, method)
    return integer(envelope.count) + integer(streamID) + [1, flags] + envelope
  }

  /// A request that opens a stream which stays open.
  static func reflection(_ streamID: Int) -> [UInt8] {
    request(
      streamID, "grpc.reflection.v1.ServerReflection", "ServerReflectionInfo", flags: 0x06)
  }

  static func cancel(_ streamID: Int) -> [UInt8] { integer(0) + integer(streamID) + [4, 0] }
}

/// Counts the statuses of the responses in a stream of bytes.
struct StatusCounter {
  private var bytes: [UInt8] = []
  /// The number of responses with each status code; 0 is OK.
  private(set) var counts: [UInt8: Int] = [:]

  mutating func append(_ more: [UInt8]) {
    bytes += more
    var start = 0
    while bytes.count - start >= 10 {
      let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
      guard bytes.count - start >= 10 + length else { break }
      // The first field of a response is its status, and the first field of that is the code.
      let payload = bytes[start + 10..<start + 10 + length].prefix(4)
      if bytes[start + 8] == 2 {
        let isFailure = payload.count == 4 && payload.first == 0x0a
        counts[isFailure ? payload.last ?? 0 : 0, default: 0] += 1
      }
      start += 10 + length
    }
    bytes.removeFirst(start)
  }
}
