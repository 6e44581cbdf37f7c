internal import NIOCore

/// The type of a frame; both sides ignore frames of other types.
enum FrameType: UInt8, Sendable {
  case request = 1
  case response = 2
  case data = 3
  /// Cancels a call: an extension of this library, which peers that do not know it ignore.
  case cancel = 4
}

/// A frame's flags.
struct FrameFlags: OptionSet, Sendable, Hashable {
  var rawValue: UInt8

  /// The sender sends no more frames on this stream.
  static let remoteClosed = FrameFlags(rawValue: 0x01)
  /// The sender will send more frames on this stream.
  static let remoteOpen = FrameFlags(rawValue: 0x02)
  /// The frame contains no message, not even an empty one.
  static let noData = FrameFlags(rawValue: 0x04)
}

/// The ten bytes before each frame's payload; integers are big endian.
struct FrameHeader: Sendable, Hashable {
  static let byteCount = 10

  /// The size of the payload, in bytes.
  var length: UInt32
  /// The id of the stream; ids of streams that a client opened are odd.
  var streamID: UInt32
  /// The raw value of the type; ``FrameType`` lists the known ones.
  var type: UInt8
  var flags: FrameFlags

  /// Returns the header of an empty data frame that ends the sender's part of a stream.
  static func endOfStream(_ streamID: UInt32) -> FrameHeader {
    FrameHeader(
      length: 0, streamID: streamID, type: FrameType.data.rawValue,
      flags: [.remoteClosed, .noData])
  }
}

extension ByteBuffer {
  /// Reads a header, or returns nil if fewer than ten bytes are readable.
  mutating func readFrameHeader() -> FrameHeader? {
    guard
      let (length, streamID, type, flags) = readMultipleIntegers(
        as: (UInt32, UInt32, UInt8, UInt8).self)
    else { return nil }
    return FrameHeader(
      length: length, streamID: streamID, type: type, flags: FrameFlags(rawValue: flags))
  }

  mutating func writeFrameHeader(_ header: FrameHeader) {
    writeMultipleIntegers(header.length, header.streamID, header.type, header.flags.rawValue)
  }
}

/// A decoder that turns received bytes into frames.
///
/// A payload above the limit is reported as soon as its header has arrived, and its bytes are
/// dropped as they arrive. The connection stays usable, and memory stays bounded.
struct FrameDecoder {
  /// A result of decoding.
  enum Event: Equatable {
    case frame(FrameHeader, payload: ByteBuffer)
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
        return .frame(header, payload: payload)

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

/// The size limits of one side of a connection.
public struct WireLimits: Sendable, Hashable {
  /// The protocol's limit for the payload of a frame, in bytes: 4 MiB, inclusive.
  public static let protocolMaximumMessageSize = 4_194_304

  /// The size of the largest frame payload that is sent or accepted, in bytes.
  ///
  /// The envelope counts. Larger values are reduced to ``protocolMaximumMessageSize``.
  public var maximumMessageSize: Int {
    didSet { maximumMessageSize = min(maximumMessageSize, Self.protocolMaximumMessageSize) }
  }

  /// Creates limits, by default the protocol's own.
  ///
  /// - Parameter maximumMessageSize: The size of the largest frame payload, in bytes.
  public init(maximumMessageSize: Int = protocolMaximumMessageSize) {
    self.maximumMessageSize = min(maximumMessageSize, Self.protocolMaximumMessageSize)
  }
}
