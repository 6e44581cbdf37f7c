internal import NIOCore

/// Who waits for a message to be taken.
typealias MessageTaken = CheckedContinuation<Result<Void, RPCError>, Never>

/// Frames of streams that wait until the peer has read what was written before. Each has a writer that
/// is suspended until its frame is taken. Lives on the connection's event loop.
struct OutboundQueue {
  struct Entry {
    var streamID: UInt32
    var frame: ByteBuffer
    var writer: MessageTaken
  }

  private var entries = CircularBuffer<Entry>()
  /// Bytes that wait, over all streams.
  private(set) var bytes = 0

  var isEmpty: Bool { entries.isEmpty }

  mutating func append(_ entry: Entry) {
    entries.append(entry)
    bytes += entry.frame.readableBytes
  }

  mutating func popFirst() -> Entry? {
    guard let entry = entries.popFirst() else { return nil }
    bytes -= entry.frame.readableBytes
    return entry
  }

  /// Bytes that wait on one stream.
  func bytes(of streamID: UInt32) -> Int {
    entries.lazy.filter { $0.streamID == streamID }.reduce(0) { $0 + $1.frame.readableBytes }
  }

  /// The stream that has the most bytes waiting, if any has.
  var greediest: UInt32? {
    var bytes: [UInt32: Int] = [:]
    for entry in entries { bytes[entry.streamID, default: 0] += entry.frame.readableBytes }
    return bytes.max { $0.value < $1.value }?.key
  }

  /// Drops what waits on one stream, and tells its writers why.
  mutating func drop(_ streamID: UInt32, _ error: RPCError) {
    let dropped = entries.filter { $0.streamID == streamID }
    guard !dropped.isEmpty else { return }
    entries.removeAll { $0.streamID == streamID }
    for entry in dropped {
      bytes -= entry.frame.readableBytes
      entry.writer.resume(returning: .failure(error))
    }
  }
}
