internal import NIOCore

/// A decoder that turns received bytes into frames.
///
/// A payload above the limit is reported as soon as its header has arrived, and its bytes are
/// dropped as they arrive. The connection stays usable, and memory stays bounded.
struct FrameDecoder {
  /// A result of decoding.
  enum Event: Equatable {
    case frame(Frame)
    /// The header of a frame above the limit, whose payload is dropped.
    case oversizeFrame(FrameHeader)
    /// The bytes are not ttrpc; everything after them is ignored.
    case foreignBytes
  }

  private enum State {
    case header
    case payload(FrameHeader)
    case discarding(remaining: Int)
    case failed
  }

  private let maximumPayload: Int
  private var state = State.header
  private var buffer = ByteBuffer()

  /// Creates a decoder for one connection.
  ///
  /// - Parameter maximumPayload: The size of the largest payload that is accepted, in bytes.
  init(maximumPayload: Int) {
    self.maximumPayload = maximumPayload
  }

  /// True if a part of a frame has arrived and the rest has not.
  var isInsideFrame: Bool {
    switch state {
    case .header: buffer.readableBytes > 0
    case .payload, .discarding: true
    case .failed: false
    }
  }

  /// The number of buffered bytes that are not decoded yet.
  var bufferedBytes: Int { buffer.readableBytes }

  /// The memory that the buffer takes, in bytes.
  var memoryBytes: Int { buffer.storageCapacity }

  /// Appends received bytes, or drops them after ``Event/foreignBytes``.
  mutating func append(_ bytes: ByteBuffer) {
    if case .failed = state { return }
    if buffer.readableBytes == 0 {
      buffer = bytes
    } else {
      buffer.writeImmutableBuffer(bytes)
    }
  }

  /// Returns the next event, or nil if more bytes are needed.
  mutating func next() -> Event? {
    while true {
      switch state {
      case .header:
        // Lengths fit in 24 bits, so a first byte other than 0 belongs to another protocol.
        if let first: UInt8 = buffer.getInteger(at: buffer.readerIndex), first != 0 {
          state = .failed
          buffer.clear()
          return .foreignBytes
        }
        guard let header = buffer.readFrameHeader() else {
          compactBuffer()
          return nil
        }
        guard header.length <= maximumPayload else {
          state = .discarding(remaining: Int(header.length))
          return .oversizeFrame(header)
        }
        state = .payload(header)

      case .payload(let header):
        guard let payload = buffer.readSlice(length: Int(header.length)) else {
          compactBuffer()
          return nil
        }
        state = .header
        return .frame(
          Frame(
            streamID: header.streamID, rawType: header.type, flags: header.flags, payload: payload))

      case .discarding(let remaining):
        let dropped = min(remaining, buffer.readableBytes)
        buffer.moveReaderIndex(forwardBy: dropped)
        guard dropped == remaining else {
          state = .discarding(remaining: remaining - dropped)
          buffer.clear()
          return nil
        }
        state = .header

      case .failed:
        return nil
      }
    }
  }

  /// Frees the memory of decoded bytes, so that an idle peer only holds its incomplete frame.
  private mutating func compactBuffer() {
    guard buffer.readerIndex > 0 else { return }
    buffer = buffer.readableBytes == 0 ? ByteBuffer() : ByteBuffer(bytes: buffer.readableBytesView)
  }
}
