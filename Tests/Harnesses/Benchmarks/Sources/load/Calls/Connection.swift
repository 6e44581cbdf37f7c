/// A connection on which calls are made.
struct Connection: ~Copyable {
  let socket: UnixSocket
  var calls: CallTable
  var received = ReceiveBuffer()
  var unsent: SendBuffer
  var flow: FlowControl
  /// The number of calls started so far.
  var started = 0
  /// True if the socket did not take all bytes, and is watched until it is writable.
  var isBlocked = false

  /// Space in the buffer for the frames of HTTP/2 that belong to no call, in bytes.
  private static let controlFrames = 4096

  /// Creates a connection on a socket, with a buffer for `inFlight` requests of at most
  /// `longestRequest` bytes.
  init(_ socket: UnixSocket, _ wireProtocol: WireProtocol, inFlight: Int, longestRequest: Int) {
    self.socket = socket
    calls = CallTable(capacity: inFlight)
    unsent = SendBuffer(capacity: inFlight * longestRequest + Self.controlFrames)
    flow = FlowControl(wireProtocol, &unsent)
  }

  /// Writes the buffered bytes, as many as the socket takes.
  @inline(__always)
  mutating func flush(_ epoll: Epoll, token: UInt32) throws(LoadError) {
    let blocked = try !unsent.flush(to: socket)
    if blocked != isBlocked {
      try epoll.change(socket, token: token, forWriting: blocked)
      isBlocked = blocked
    }
  }
}
