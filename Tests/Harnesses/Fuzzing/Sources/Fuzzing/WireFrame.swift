/// A frame on the wire, with a decoder that is independent of the one under test.
struct WireFrame {
  var length: Int
  var streamID: UInt32
  var type: UInt8
  var flags: UInt8
  var payload: ArraySlice<UInt8>

  static let request: UInt8 = 1
  static let response: UInt8 = 2
  static let data: UInt8 = 3
  static let cancel: UInt8 = 4
  static let remoteClosed: UInt8 = 1
  static let noData: UInt8 = 4

  /// Splits bytes into frames and a rest, which is less than a frame.
  ///
  /// A frame above the limit counts as soon as its header is complete.
  static func frames(of bytes: [UInt8], limit: Int) -> (
    frames: [WireFrame], rest: ArraySlice<UInt8>
  ) {
    var frames: [WireFrame] = []
    var rest = bytes[...]
    while rest.count >= 10, rest.first == 0 {
      var fields = Fields(rest.prefix(10))
      let length = Int(fields.word())
      let available = rest.dropFirst(10).prefix(length)
      guard available.count == length || length > limit else { break }
      frames.append(
        WireFrame(
          length: length, streamID: fields.word(), type: fields.byte(), flags: fields.byte(),
          payload: available))
      rest = rest.dropFirst(10 + length)
    }
    return (frames, rest)
  }

  /// Encodes a frame.
  static func bytes(
    type: UInt8, streamID: UInt32, flags: UInt8, payload: [UInt8], length: UInt32? = nil
  ) -> [UInt8] {
    bigEndian(length ?? UInt32(payload.count)) + bigEndian(streamID) + [type, flags] + payload
  }

  private static func bigEndian(_ word: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
  }

  /// True if it is the last frame of its sender on the stream.
  var isTerminal: Bool {
    type == Self.response || type == Self.data && flags & Self.remoteClosed != 0
  }
}
