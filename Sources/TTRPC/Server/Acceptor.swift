internal import CLinux
internal import CoreMetrics
internal import Glibc
internal import Logging
internal import NIOPosix

/// Accepts the connections of a listening socket, on a thread of its own.
///
/// SwiftNIO's own server channel calls `listen` again, with a backlog of 128, and calls `accept` again at once
/// when the process has no descriptors left.
final class Acceptor: Sendable {
  /// The outcome of an accepted socket.
  enum Outcome {
    case accepted
    /// It was closed, for this reason.
    case refused(String)
  }

  private let listener: Int32
  /// Makes the thread look whether it is to stop.
  private let wakeup: Int32
  private let logger: Logger
  private let take: @Sendable (Int32) -> Outcome
  private let thread = NIOThreadPool(numberOfThreads: 1)

  /// - Parameters:
  ///   - listener: A listening socket, non-blocking. It stays the caller's to close.
  ///   - take: Takes over each connected socket, on the acceptor's thread.
  init(
    _ listener: Int32, logger: Logger, take: @escaping @Sendable (Int32) -> Outcome
  ) throws(UnixListener.Failure) {
    self.listener = listener
    self.logger = logger
    self.take = take
    wakeup = clinux_wakeup_open()
    guard wakeup >= 0 else {
      throw UnixListener.Failure(
        path: "descriptor \(listener)",
        reason: "eventfd: \(unsafe String(cString: strerror(-wakeup)))")
    }
    thread.start()
  }

  deinit {
    close(wakeup)
  }

  /// Accepts connections until ``stop()``.
  ///
  /// - Throws: ``UnixListener/Failure`` where the socket cannot be accepted on any more.
  func run() async throws {
    // Not a task's own cancellation: the thread ends by `stop` alone.
    let result: Result<Void, UnixListener.Failure> = await withCheckedContinuation { continuation in
      thread.submit { _ in
        continuation.resume(
          returning: Result { () throws(UnixListener.Failure) in try self.loop() })
      }
    }
    try? await thread.shutdownGracefully()
    try result.get()
  }

  /// Makes ``run()`` return. Connections that wait stay in the socket's queue.
  func stop() {
    _ = clinux_wakeup_signal(wakeup)
  }

  private func loop() throws(UnixListener.Failure) {
    var shortage = DescriptorShortage()
    var refusals = LogThrottle()
    while true {
      guard wait(forConnections: true, atMost: nil) else { return }
      let socket = clinux_accept(listener)
      if socket >= 0 {
        if shortage.ended() { logger.notice("accepting connections again") }
        guard case .refused(let reason) = take(socket) else { continue }
        Counter(label: "ttrpc_server_refused_connections_total").increment()
        if let omitted = refusals.admits(at: .now) {
          logger.warning(
            "a connection is refused: \(reason)",
            metadata: omitted > 0 ? ["refused_since_last_line": "\(omitted)"] : [:])
        }
        continue
      }
      switch -socket {
      case EAGAIN, EINTR, ECONNABORTED: continue
      case EMFILE, ENFILE, ENOBUFS, ENOMEM:
        Counter(label: "ttrpc_server_accept_errors_total").increment()
        if shortage.began(at: .now) {
          logger.error(
            """
            cannot accept connections: \(unsafe String(cString: strerror(-socket))); they wait until \
            descriptors are free; raise the limit of open files (LimitNOFILE) or lower \
            limits.connections
            """)
        }
        guard wait(forConnections: false, atMost: DescriptorShortage.pauseMilliseconds) else {
          return
        }
      default:
        throw UnixListener.Failure(
          path: "descriptor \(listener)",
          reason: "accept: \(unsafe String(cString: strerror(-socket)))")
      }
    }
  }

  /// Waits for a connection, or for some milliseconds. Returns whether to go on.
  private func wait(forConnections: Bool, atMost milliseconds: Int32?) -> Bool {
    var waits = [
      pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
      pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
    ]
    _ = unsafe poll(&waits, forConnections ? 2 : 1, milliseconds ?? -1)
    return waits[0].revents == 0
  }
}

/// The time in which the process has no descriptors left.
struct DescriptorShortage {
  /// How long to wait before the next attempt to accept a connection.
  static let pauseMilliseconds: Int32 = 100

  private var lasts = false
  private var isLogged = false
  private var log = LogThrottle()

  /// Returns whether to log it: at the beginning, but not once for each time that one descriptor is freed
  /// and taken again.
  mutating func began(at now: ContinuousClock.Instant) -> Bool {
    guard !lasts else { return false }
    lasts = true
    if log.admits(at: now) != nil {
      isLogged = true
      return true
    }
    return false
  }

  /// Returns whether to log that it is over: where its beginning was logged.
  mutating func ended() -> Bool {
    defer { (lasts, isLogged) = (false, false) }
    return lasts && isLogged
  }
}

/// Lets a line be logged now and then, however often there is reason to.
struct LogThrottle {
  static let interval: Duration = .seconds(10)

  private var last: ContinuousClock.Instant?
  private var omitted = 0

  /// Returns how many lines were left out since the last one; `nil` where this one is left out too.
  mutating func admits(at now: ContinuousClock.Instant) -> Int? {
    if let last, now - last < Self.interval {
      omitted += 1
      return nil
    }
    defer { (last, omitted) = (now, 0) }
    return omitted
  }
}
