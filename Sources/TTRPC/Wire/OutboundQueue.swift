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

  func contains(_ streamID: UInt32) -> Bool {
    entries.contains { $0.streamID == streamID }
  }

  /// Drops what waits on one stream, and tells its writers why.
  mutating func drop(_ streamID: UInt32, _ error: RPCError) {
    guard contains(streamID) else { return }
    let dropped = entries.filter { $0.streamID == streamID }
    entries.removeAll { $0.streamID == streamID }
    for entry in dropped {
      bytes -= entry.frame.readableBytes
      entry.writer.resume(returning: .failure(error))
    }
  }
}
