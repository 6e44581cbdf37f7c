/// A frame, encoded and decoded independently of the library.
///
/// A mistake in the library's code therefore cannot cancel itself out.
struct Frame: Equatable, Sendable {
  var streamID: UInt32
  var type: UInt8
  var flags: UInt8
  var payload: [UInt8]

  static let headerLength = 10

  init(_ type: UInt8, _ streamID: UInt32, flags: UInt8 = 0, _ payload: [UInt8] = []) {
    self.type = type
    self.streamID = streamID
    self.flags = flags
    self.payload = payload
  }

  /// Decodes one complete frame.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.headerLength, Self.integer(bytes[0..<4]) == bytes.count - 10 else {
      return nil
    }
    self.init(
      bytes[8], UInt32(Self.integer(bytes[4..<8])), flags: bytes[9], Array(bytes.dropFirst(10)))
  }

  /// Decodes all complete frames at the start of the bytes.
  static func all(in bytes: [UInt8]) -> [Frame] {
    var frames: [Frame] = []
    var rest = bytes[...]
    while rest.count >= headerLength {
      let length = headerLength + integer(rest.prefix(4))
      guard rest.count >= length, let frame = Frame(Array(rest.prefix(length))) else { break }
      frames.append(frame)
      rest = rest.dropFirst(length)
    }
    return frames
  }

  var bytes: [UInt8] {
    Self.bigEndian(UInt32(payload.count)) + Self.bigEndian(streamID) + [type, flags] + payload
  }

  /// True if the sender sends no more frames on the stream.
  var isTerminal: Bool { type == 2 || (type == 3 && flags & 0x01 != 0) }

  /// Encodes a header alone, which may state any length.
  static func header(_ type: UInt8, _ streamID: UInt32, flags: UInt8 = 0, length: UInt32) -> [UInt8]
  {
    bigEndian(length) + bigEndian(streamID) + [type, flags]
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static func integer(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }
}

extension Frame {
  /// A request, which opens a call.
  static func request(
    _ streamID: UInt32, _ method: String, _ payload: [UInt8] = [], flags: UInt8 = 0,
    service: String = "p", timeout: Int64 = 0, metadata: KeyValuePairs<String, String> = [:]
  ) -> Frame {
    var envelope = Proto.text(1, service) + Proto.text(2, method) + Proto.bytes(3, payload)
    envelope += Proto.integer(4, timeout)
    for (key, value) in metadata {
      envelope += Proto.message(5, Proto.text(1, key) + Proto.text(2, value))
    }
    return Frame(1, streamID, flags: flags, envelope)
  }

  /// A stream's message `{1: number}`.
  static func data(_ streamID: UInt32, _ number: Int64, flags: UInt8 = 0) -> Frame {
    Frame(3, streamID, flags: flags, Proto.integer(1, number))
  }

  /// The end of a stream's messages.
  static func end(_ streamID: UInt32) -> Frame { Frame(3, streamID, flags: 0x05) }

  static func cancel(_ streamID: UInt32) -> Frame { Frame(4, streamID) }

  /// A response with the message `{1: number}`.
  static func response(_ streamID: UInt32, _ number: Int64) -> Frame {
    Frame(2, streamID, Proto.bytes(2, Proto.integer(1, number)))
  }

  /// A response with an error status.
  static func status(_ streamID: UInt32, _ code: Int64, _ message: String = "") -> Frame {
    Frame(2, streamID, Proto.message(1, Proto.integer(1, code) + Proto.text(2, message)))
  }
}

extension Frame: CustomStringConvertible {
  var description: String {
    let shown = payload.prefix(48).map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }
    let more = payload.count > 48 ? "… (\(payload.count) bytes)" : ""
    return "{type \(type), stream \(streamID), flags \(flags), \(shown.joined())\(more)}"
  }
}

extension Sequence<Frame> {
  /// The encoded frames, one after the other.
  var bytes: [UInt8] { flatMap(\.bytes) }
}
