internal import NIOCore

/// Takes bytes as they come and gives frames.
///
/// A payload above the limit is reported as soon as its header is there, and its bytes are dropped as
/// they arrive: the connection lives, in bounded memory.
struct FrameDecoder {
  /// What the bytes so far amount to.
  enum Event: Equatable {
    case frame(Frame)
    /// A frame longer than the limit begins; none of its payload will be seen.
    case oversizeFrame(FrameHeader)
    /// These bytes are no ttrpc. Nothing after them can be trusted.
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

  /// - Parameter maximumPayload: The longest payload accepted, in bytes, inclusive.
  init(maximumPayload: Int) {
    self.maximumPayload = maximumPayload
  }

  /// Whether the peer stopped in the middle of a frame.
  var isInsideFrame: Bool {
    switch state {
    case .header: buffer.readableBytes > 0
    case .payload, .discarding: true
    case .failed: false
    }
  }

  /// Bytes of a frame that has not arrived in whole.
  var bufferedBytes: Int { buffer.readableBytes }

  /// Bytes of memory that they take.
  var memoryBytes: Int { buffer.storageCapacity }

  /// Adds bytes; those that come after foreign ones are dropped.
  mutating func append(_ bytes: ByteBuffer) {
    if case .failed = state { return }
    if buffer.readableBytes == 0 {
      buffer = bytes
    } else {
      buffer.writeImmutableBuffer(bytes)
    }
  }

  /// The next event, or nothing until more bytes are appended.
  mutating func next() -> Event? {
    while true {
      switch state {
      case .header:
        // A length's first byte is always 0, so that other protocols show at once.
        if let first: UInt8 = buffer.getInteger(at: buffer.readerIndex), first != 0 {
          state = .failed
          buffer.clear()
          return .foreignBytes
        }
        guard let header = buffer.readFrameHeader() else {
          keepWhatIsLeft()
          return nil
        }
        guard header.length <= maximumPayload else {
          state = .discarding(remaining: Int(header.length))
          return .oversizeFrame(header)
        }
        state = .payload(header)

      case .payload(let header):
        guard let payload = buffer.readSlice(length: Int(header.length)) else {
          keepWhatIsLeft()
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

  /// Lets go of the bytes that were read: a peer that falls silent holds only those it is owed for.
  private mutating func keepWhatIsLeft() {
    guard buffer.readerIndex > 0 else { return }
    buffer = buffer.readableBytes == 0 ? ByteBuffer() : ByteBuffer(bytes: buffer.readableBytesView)
  }
}
