internal import CEpoll

/// An epoll instance, which waits for many sockets and is open until the program ends.
@safe
struct Epoll {
  /// A socket that is readable (or at its end), writable, or both.
  struct Event {
    let token: Int
    let isReadable: Bool
    let isWritable: Bool
  }

  private let descriptor: Int32
  private let events = UnsafeMutablePointer<cepoll_event>.allocate(capacity: 64)

  init() throws(LoadError) {
    descriptor = cepoll_open()
    guard descriptor >= 0 else { throw LoadError("epoll: error \(-descriptor)") }
    unsafe events.initialize(repeating: cepoll_event(), count: 64)
    cepoll_wait_precisely()
  }

  /// Watches a socket for reading; events carry the token.
  func add(_ socket: UnixSocket, token: UInt32) throws(LoadError) {
    try watch(socket, token: token, forWriting: false, isNew: true)
  }

  /// Sets whether a socket is watched for writing, too.
  func change(_ socket: UnixSocket, token: UInt32, forWriting: Bool) throws(LoadError) {
    try watch(socket, token: token, forWriting: forWriting, isNew: false)
  }

  /// Waits for events, at most until a time on the clock `Clock.now`.
  ///
  /// - Returns: The number of events, which `event(_:)` returns by their index.
  @inline(__always)
  func wait(until time: UInt64, now: UInt64) throws(LoadError) -> Int {
    let nanoseconds = time > now ? Int64(clamping: time &- now) : 0
    let count = unsafe cepoll_wait(descriptor, events, nanoseconds)
    guard count >= 0 else { throw LoadError("epoll_pwait2: error \(-count)") }
    return Int(count)
  }

  @inline(__always)
  func event(_ index: Int) -> Event {
    let event = unsafe events[index]
    return Event(
      token: Int(event.token), isReadable: event.readable, isWritable: event.writable)
  }

  private func watch(
    _ socket: UnixSocket, token: UInt32, forWriting: Bool, isNew: Bool
  ) throws(LoadError) {
    let error = cepoll_watch(descriptor, socket.descriptor, token, forWriting, isNew)
    guard error == 0 else { throw LoadError("epoll_ctl: error \(error)") }
  }
}
