internal import NIOCore

/// The continuation of a writer that waits until its message is written or dropped.
package typealias MessageTaken = CheckedContinuation<Result<Void, RPCError>, Never>

/// A queue of stream frames that wait until the peer has read earlier data.
///
/// Each frame has a writer that is suspended until the frame is written or dropped. The queue is
/// used on the connection's event loop only.
struct OutboundQueue {
  struct Entry {
    var streamID: UInt32
    var frame: ByteBuffer
    var writer: MessageTaken
  }

  private var entries = CircularBuffer<Entry>()
  /// The total size of the waiting frames of all streams, in bytes.
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

  /// Returns the total size of one stream's waiting frames, in bytes.
  func bytes(of streamID: UInt32) -> Int {
    entries.lazy.filter { $0.streamID == streamID }.reduce(0) { $0 + $1.frame.readableBytes }
  }

  /// The stream with the most waiting bytes, or nil if the queue is empty.
  var greediest: UInt32? {
    var bytes: [UInt32: Int] = [:]
    for entry in entries { bytes[entry.streamID, default: 0] += entry.frame.readableBytes }
    return bytes.max { $0.value < $1.value }?.key
  }

  /// Drops one stream's frames and resumes their writers with an error.
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
