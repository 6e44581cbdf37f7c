internal import NIOCore
internal import TTRPC

/// An HTTP/2 stream that was opened by the request of a call, until it is closed.
final class GRPCStream {
  let id: UInt32
  /// The ``ReadScheduler/readingTime`` at which the stream was opened.
  let opened: NIODeadline

  // MARK: The request

  let streamsRequests: Bool
  /// The request, until its call starts.
  var request: CallRequest?
  var reader: GRPCMessageReader
  /// The message of a single request, until the client ends the stream and the call starts.
  var message: [UInt8]?
  /// The bytes that each message in the queue of requests took in the stream, the oldest first;
  /// `nil` for a method with a single request.
  var untakenFrames: CircularBuffer<Int>?
  /// A Boolean value that indicates whether the client sends nothing more.
  var requestHasEnded = false
  /// The number of bytes of data that must still arrive; `nil` if the request does not state it.
  var unreceivedBytes: Int?
  /// Received bytes that the peer may not send again yet.
  var heldWindow = 0

  // MARK: The response

  /// A Boolean value that indicates whether the call has its outcome.
  var hasEnded = false
  var hasSentHeaders = false
  /// The metadata that the call's handler has set, as headers.
  var metadata: (initial: [GRPCResponse.Header], trailing: [GRPCResponse.Header]) = ([], [])
  /// The bytes of messages that wait for the peer's flow control or for the socket.
  var unsent = ByteBuffer()
  /// The trailers that follow the unsent bytes, once the call has its outcome.
  var trailers: HTTP2HeaderList?
  /// A Boolean value that indicates whether the unsent bytes are the only response of the call.
  var hasSingleResponse = false
  /// Messages whose writers wait for those bytes to be sent; seldom more than one.
  var waiting: [(frame: ByteBuffer, writer: MessageTaken)] = []

  init(
    _ request: CallRequest, streamsRequests: Bool, opened: NIODeadline, reader: GRPCMessageReader
  ) {
    id = request.streamID
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
