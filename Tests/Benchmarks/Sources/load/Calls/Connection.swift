/// One of the connections that calls go out on.
struct Connection: ~Copyable {
  let socket: UnixSocket
  var calls: CallTable
  var received = ReceiveBuffer()
  var unsent: SendBuffer
  /// How many calls have been started, ever.
  var started = 0
  /// The socket took less than all of it, and is watched for more room.
  var waitsForRoom = false

  /// `longestFrame` is in bytes.
  init(_ socket: UnixSocket, inFlight: Int, longestFrame: Int) {
    self.socket = socket
    calls = CallTable(capacity: inFlight)
    unsent = SendBuffer(capacity: inFlight * longestFrame)
  }

  /// Writes all that waits, as far as the socket takes it.
  @inline(__always)
  mutating func flush(_ epoll: Epoll, token: UInt32) throws(LoadError) {
    let blocked = try !unsent.flush(to: socket)
    if blocked != waitsForRoom {
      try epoll.change(socket, token: token, forWriting: blocked)
      waitsForRoom = blocked
    }
  }
}
