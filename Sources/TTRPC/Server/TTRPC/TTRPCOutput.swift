internal import NIOCore

/// The output of a ttrpc connection: frames for the next flush, and frames that wait until the peer
/// has read earlier ones.
struct TTRPCOutput {
  /// Frames to be sent with the next flush, or once the peer has read.
  ///
  /// Responses that the peer does not read are collected here: a buffer for each would take many
  /// times the memory.
  private var buffer = ByteBuffer()
  /// The number of bytes of the last flush; the next one is often as long.
  private var lastByteCount = 0
  /// Stream messages whose writers wait.
  var waiting = OutboundQueue()
  private(set) var needsFlush = false

  /// The number of bytes in the buffer.
  var bufferedBytes: Int { buffer.readableBytes }

  /// A Boolean value that indicates whether another stream message may be written to a channel that
  /// is writable.
  var hasCapacity: Bool { buffer.readableBytes < Self.maxBufferedBytes }

  /// The size of the buffer, in bytes, from which stream messages wait for a flush.
  private static let maxBufferedBytes = 65_536

  /// The maximum number of bytes that are reserved for the next flush.
  ///
  /// They are not counted as queued bytes, and the peer may not read.
  private static let maxReservedBytes = 16_384

  /// Writes to the buffer, which must be flushed then.
  ///
  /// - Returns: True if no flush was needed before.
  mutating func write(_ body: (inout ByteBuffer) -> Void) -> Bool {
    if buffer.capacity == 0 { buffer.reserveCapacity(lastByteCount) }
    body(&buffer)
    defer { needsFlush = true }
    return !needsFlush
  }

  /// Returns the contents of the buffer and empties it.
  mutating func takeBuffer() -> ByteBuffer {
    needsFlush = false
    lastByteCount = min(buffer.readableBytes, Self.maxReservedBytes)
    defer { buffer = ByteBuffer() }
    return buffer
  }

  mutating func flushed() { needsFlush = false }
}
