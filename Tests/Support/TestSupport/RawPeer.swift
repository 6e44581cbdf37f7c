internal import Dispatch
internal import Glibc

/// An end of a Unix socket for tests that send bytes which no client library would send.
///
/// Its reads and writes block threads of its own, not those of the caller.
public final class RawPeer: Sendable {
  private let descriptor: Int32
  private let reading = DispatchQueue(label: "raw peer reads")
  private let writing = DispatchQueue(label: "raw peer writes")

  /// The reason why a socket operation failed.
  public struct Failure: Error, CustomStringConvertible {
    /// The operation that failed, and the reason if it is known.
    public let description: String

    /// Creates a failure with a message.
    public init(description: String) {
      self.description = description
    }
  }

  /// Connects to a path.
  public convenience init(path: String) throws(Failure) {
    let descriptor = try UnixAddress.makeSocket()
    guard unsafe UnixAddress.with(path, { unsafe connect(descriptor, $0, $1) }) == 0 else {
      close(descriptor)
      throw Failure(description: "cannot connect to \(path)")
    }
    self.init(descriptor: descriptor)
  }

  /// Connects to a path, or returns `nil` if that fails or would wait for the server's backlog.
  public static func connectWithoutWaiting(path: String) -> RawPeer? {
    guard let descriptor = try? UnixAddress.makeSocket(flags: Int32(SOCK_NONBLOCK.rawValue)) else {
      return nil
    }
    guard unsafe UnixAddress.with(path, { unsafe connect(descriptor, $0, $1) }) == 0 else {
      close(descriptor)
      return nil
    }
    _ = fcntl(descriptor, F_SETFL, 0)
    return RawPeer(descriptor: descriptor)
  }

  /// Takes ownership of a connected socket.
  ///
  /// Each read and each write waits for at most ``testTimeout``.
  init(descriptor: Int32) {
    self.descriptor = descriptor
    var timeout = timeval(tv_sec: Int(testTimeout.components.seconds), tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      unsafe setsockopt(
        descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  deinit {
    // A process that was started meanwhile may have inherited the descriptor.
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }

  /// Sends bytes, and waits until the socket has taken all of them.
  public func send(_ bytes: [UInt8]) async throws {
    try await on(writing) { [descriptor] in
      var sent = 0
      while sent < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { buffer in
          unsafe Glibc.send(
            descriptor, buffer.baseAddress?.advanced(by: sent), bytes.count - sent,
            Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { throw Failure(description: "the connection takes no more bytes") }
        sent += count
      }
    }
  }

  /// Waits until the other end has read all bytes that were sent.
  public func waitUntilRead() async throws {
    try await eventually("the other end reads all bytes") {
      var waiting: Int32 = 0
      guard unsafe ioctl(descriptor, UInt(TIOCOUTQ), &waiting) == 0 else {
        throw Failure(description: "cannot read the length of the socket's queue")
      }
      return waiting == 0
    }
  }

  /// Waits until bytes have arrived, without reading them.
  public func waitUntilReadable() async throws {
    try await eventually("bytes arrive") { try isReadable }
  }

  /// True if bytes have arrived that were not read.
  public var isReadable: Bool {
    get throws(Failure) {
      var arrived: Int32 = 0
      guard unsafe ioctl(descriptor, UInt(FIONREAD), &arrived) == 0 else {
        throw Failure(description: "cannot read the length of the socket's queue")
      }
      return arrived > 0
    }
  }

  /// Reads `count` bytes, or fewer if the other end closes the connection before.
  public func receive(_ count: Int) async throws -> [UInt8] {
    try await on(reading) { [descriptor] in
      var received: [UInt8] = []
      while received.count < count {
        var chunk = [UInt8](repeating: 0, count: min(count - received.count, 65_536))
        let read = unsafe recv(descriptor, &chunk, chunk.count, 0)
        // A peer that closes the connection before it has read all bytes resets it.
        if read == 0 || (read < 0 && errno == ECONNRESET) { break }
        guard read > 0 else { throw Failure(description: "no bytes arrived in \(testTimeout)") }
        received += chunk.prefix(read)
      }
      return received
    }
  }

  /// Reads a frame with its header of 10 bytes; `nil` if the other end has closed the connection.
  public func receiveFrame() async throws -> [UInt8]? {
    let header = try await receive(10)
    guard header.count == 10 else { return nil }
    let length = header.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    return header + (try await receive(length))
  }

  /// Waits, and returns true if the other end closes the connection without sending a byte.
  public func isClosed() async throws -> Bool {
    try await receive(1).isEmpty
  }

  /// Shuts the connection down in both directions.
  public func disconnect() {
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  /// Shuts the connection down for writing.
  public func finishSending() {
    shutdown(descriptor, Int32(SHUT_WR))
  }

  private func on<Value: Sendable>(
    _ queue: DispatchQueue, _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try body() }) }
    }
  }
}
