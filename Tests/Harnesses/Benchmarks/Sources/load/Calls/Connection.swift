/// A connection on which calls are made.
struct Connection: ~Copyable {
  let socket: UnixSocket
  var calls: CallTable
  var received = ReceiveBuffer()
  var unsent: SendBuffer
  /// The number of calls started so far.
  var started = 0
  /// True if the socket did not take all bytes, and is watched until it is writable.
  var isBlocked = false

  /// Creates a connection on a socket, with a buffer for `inFlight` frames of `longestFrame` bytes.
  init(_ socket: UnixSocket, inFlight: Int, longestFrame: Int) {
    self.socket = socket
    calls = CallTable(capacity: inFlight)
    unsent = SendBuffer(capacity: inFlight * longestFrame)
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
