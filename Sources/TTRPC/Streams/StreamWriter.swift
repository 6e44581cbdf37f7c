package import NIOCore
internal import ProtobufC
internal import Synchronization

/// The part of a connection that its stream writers use, on the connection's event loop only.
package protocol StreamConnection: AnyObject {
  /// Writes a frame of a stream, unless the peer has to read earlier data first.
  ///
  /// - Returns: The outcome, or nil if the frame was not written and should be queued.
  func take(_ frame: ByteBuffer, of streamID: UInt32) -> Result<Void, RPCError>?

  /// Queues a frame until the peer has read earlier data, then writes it and resumes its writer.
  func takeInTurn(_ frame: ByteBuffer, of streamID: UInt32, _ writer: MessageTaken)

  /// Drops a stream's queued frames and resumes their writers with an error.
  func dropWaiting(of streamID: UInt32, _ error: RPCError)
}

/// A writer for this side's messages of one stream, usable from any task.
final class StreamWriter: Sendable {
  private let streamID: UInt32
  private let eventLoop: any EventLoop
  private let connection: NIOLoopBound<any StreamConnection>
  private let framing: MessageFraming
  private let limit: Int
  private let traffic: CallTraffic
  private let hasFinished = Atomic(false)

  init(
    _ connection: any StreamConnection, streamID: UInt32, framing: MessageFraming = .ttrpc,
    limit: Int, traffic: CallTraffic, eventLoop: any EventLoop
  ) {
    self.framing = framing
    self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
    self.streamID = streamID
    self.limit = limit
    self.traffic = traffic
    self.eventLoop = eventLoop
  }

  func write(_ message: some ProtobufMessage) async throws(RPCError) {
    var frame = ByteBuffer()
    let isWritten = message.withSerializer { serializer in
      let size = serializer.byteCount
      guard size <= limit else { return false }
      frame.reserveCapacity(framing.prefixLength + size)
      framing.writePrefix(&frame, size, streamID)
      unsafe frame.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
        unsafe serializer.pack(into: bytes)
        return size
      }
      return true
    }
    guard isWritten else { throw tooLong }
    try await sendMessage(frame)
  }

  /// Writes a message that is already serialized.
  func write(serialized message: [UInt8]) async throws(RPCError) {
    guard message.count <= limit else { throw tooLong }
    var frame = ByteBuffer()
    framing.writePrefix(&frame, message.count, streamID)
    frame.writeBytes(message)
    try await sendMessage(frame)
  }

  private var tooLong: RPCError {
    RPCError(code: .resourceExhausted, message: "the message exceeds the limit of \(limit) bytes")
  }

  private func sendMessage(_ frame: ByteBuffer) async throws(RPCError) {
    guard !hasFinished.load(ordering: .acquiring) else {
      throw RPCError(code: .failedPrecondition, message: "cannot write a message after finish()")
    }
    try await send(frame)
    traffic.sent(frame.readableBytes - framing.prefixLength)
  }

  /// Tells the peer that this side sends no more messages; later calls have no effect.
  func finish() async throws(RPCError) {
    let hadFinished = hasFinished.exchange(true, ordering: .acquiringAndReleasing)
    guard !hadFinished else { return }
    var frame = ByteBuffer()
    frame.writeFrameHeader(.endOfStream(streamID))
    try await send(frame)
  }

  private func send(_ frame: ByteBuffer) async throws(RPCError) {
    if eventLoop.inEventLoop, let taken = connection.value.take(frame, of: streamID) {
      return try taken.get()
    }
    guard !Task.isCancelled else {
      throw RPCError(code: .cancelled, message: "the writer was cancelled")
    }
    try await withTaskCancellationHandler {
      await withCheckedContinuation { writer in
        eventLoop.execute { [self] in
          connection.value.takeInTurn(frame, of: streamID, writer)
        }
      }
    } onCancel: {
      eventLoop.execute { [self] in
        let error = RPCError(code: .cancelled, message: "the writer was cancelled")
        connection.value.dropWaiting(of: streamID, error)
      }
    }.get()
  }
}

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
