internal import NIOCore
internal import TTRPC

/// An HTTP/2 stream whose call has no outcome yet.
final class GRPCStream {
  /// The request, until its call starts.
  var request: CallRequest?
  /// The time at which the stream was opened.
  let opened: NIODeadline
  let streamsRequests: Bool
  var reader: GRPCMessageReader
  /// The message of a single request, until the client ends the stream and the call starts.
  var message: [UInt8]?
  /// The bytes that each message in the queue of requests took in the stream, the oldest first;
  /// `nil` for a method with a single request.
  var untakenFrames: CircularBuffer<Int>?
  /// A Boolean value that indicates whether the client sends nothing more.
  var requestHasEnded = false
  var hasSentHeaders = false
  /// The number of bytes of messages that were written and that wait for the peer's flow control or
  /// for the socket.
  var unsentBytes = 0
  /// Messages whose writers wait for those bytes to be sent; seldom more than one.
  var waiting: [(frame: ByteBuffer, writer: MessageTaken)] = []
  /// Received bytes that no WINDOW_UPDATE frame has returned to the peer.
  var heldWindow = 0
  /// Bytes to return to the peer with the next WINDOW_UPDATE frame.
  var unreportedWindow = 0

  init(
    _ request: CallRequest, streamsRequests: Bool, opened: NIODeadline, reader: GRPCMessageReader
  ) {
    self.request = request
    self.streamsRequests = streamsRequests
    self.opened = opened
    self.reader = reader
    // An empty buffer takes memory, too.
    if streamsRequests { untakenFrames = CircularBuffer() }
  }

  /// The number of bytes of messages whose writers wait.
  var waitingBytes: Int { waiting.reduce(0) { $0 + $1.frame.readableBytes } }

  /// The number of bytes of requests that the stream holds.
  var requestBytes: Int { reader.bufferedBytes + (message?.count ?? 0) }
}
