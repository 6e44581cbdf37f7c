internal import CLinux
internal import CoreMetrics
internal import Glibc
internal import Logging
internal import NIOPosix

/// Accepts connections from a listening socket, on a thread of its own.
///
/// SwiftNIO's server channel is not used: it calls `listen` again with a backlog of 128, and it
/// retries `accept` without a pause when the process has no free file descriptors.
final class Acceptor: Sendable {
  /// The outcome of an accepted socket.
  enum Outcome {
    case accepted
    /// The handler serves the socket later, for this reason.
    case delayed(String)
    /// The handler closed the socket, for this reason.
    case refused(String)
  }

  private let listener: Int32
  /// The eventfd that wakes the thread when the acceptor is stopped.
  private let wakeup: Int32
  private let logger: Logger
  private let handle: @Sendable (Int32) -> Outcome
  private let thread = NIOThreadPool(numberOfThreads: 1)

  /// Creates an acceptor, which accepts connections once ``run()`` is called.
  ///
  /// - Parameters:
  ///   - listener: A listening, non-blocking socket, which the caller closes.
  ///   - handle: Takes ownership of each connected socket. It runs on the acceptor's thread.
  /// - Throws: ``UnixListener/Failure`` if the eventfd cannot be created.
  init(
    _ listener: Int32, logger: Logger, handle: @escaping @Sendable (Int32) -> Outcome
  ) throws(UnixListener.Failure) {
    self.listener = listener
    self.logger = logger
    self.handle = handle
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

  /// Accepts connections until ``stop()`` is called.
  ///
  /// - Throws: ``UnixListener/Failure`` if the socket can no longer accept connections.
  func run() async throws {
    // Cancellation of the task is ignored: only `stop` ends the thread.
    let result: Result<Void, UnixListener.Failure> = await withCheckedContinuation { continuation in
      thread.submit { _ in
        continuation.resume(
          returning: Result { () throws(UnixListener.Failure) in try self.loop() })
      }
    }
    try? await thread.shutdownGracefully()
    try result.get()
  }

  /// Makes ``run()`` return.
  ///
  /// Connections that were not accepted yet stay in the socket's queue.
  func stop() {
    _ = clinux_wakeup_signal(wakeup)
  }

  private func loop() throws(UnixListener.Failure) {
    var shortage = DescriptorShortage()
    var (delays, refusals) = (LogThrottle(), LogThrottle())
    while true {
      guard wait(forConnections: true, atMost: nil) else { return }
      let socket = clinux_accept(listener)
      if socket >= 0 {
        if shortage.ended() { logger.notice("accepting connections again") }
        switch handle(socket) {
        case .accepted: break
        case .delayed(let reason):
          Counter(label: "ttrpc_server_delayed_connections_total").increment()
          if let omitted = delays.admits(at: .now) {
            logger.warning(
              "delayed a connection: \(reason)",
              metadata: omitted > 0 ? ["delayed_since_last_line": "\(omitted)"] : [:])
          }
        case .refused(let reason):
          Counter(label: "ttrpc_server_refused_connections_total").increment()
          if let omitted = refusals.admits(at: .now) {
            logger.warning(
              "refused a connection: \(reason)",
              metadata: omitted > 0 ? ["refused_since_last_line": "\(omitted)"] : [:])
          }
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
            cannot accept connections: \(unsafe String(cString: strerror(-socket))); new \
            connections wait until file descriptors are free; raise the limit of open files \
            (LimitNOFILE) or lower the maximum number of connections
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

  /// Waits for a connection, a call of ``stop()``, or a timeout.
  ///
  /// - Parameters:
  ///   - forConnections: False to ignore connections.
  ///   - milliseconds: The timeout; `nil` waits indefinitely.
  /// - Returns: False if the acceptor was stopped.
  private func wait(forConnections: Bool, atMost milliseconds: Int32?) -> Bool {
    var waits = [
      pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
      pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
    ]
    _ = unsafe poll(&waits, forConnections ? 2 : 1, milliseconds ?? -1)
    return waits[0].revents == 0
  }
}

/// A period during which the process has no free file descriptors.
struct DescriptorShortage {
  /// The pause before the next attempt to accept a connection, in milliseconds.
  static let pauseMilliseconds: Int32 = 100

  private var isOngoing = false
  private var isLogged = false
  private var log = LogThrottle()

  /// Records that `accept` failed for lack of descriptors.
  ///
  /// - Returns: True if the failure should be logged. Only the beginning of a shortage is logged,
  ///   at most once in ``LogThrottle/interval``, because a server at its limit may gain and lose
  ///   one descriptor many times a second.
  mutating func began(at now: ContinuousClock.Instant) -> Bool {
    guard !isOngoing else { return false }
    isOngoing = true
    if log.admits(at: now) != nil {
      isLogged = true
      return true
    }
    return false
  }

  /// Records that a connection was accepted.
  ///
  /// - Returns: True if a shortage has ended whose beginning was logged.
  mutating func ended() -> Bool {
    defer { (isOngoing, isLogged) = (false, false) }
    return isOngoing && isLogged
  }
}

/// Limits a repeated log line to one in each ``interval``.
struct LogThrottle {
  static let interval: Duration = .seconds(10)

  private var last: ContinuousClock.Instant?
  private var omitted = 0

  /// Decides whether a line may be logged now.
  ///
  /// - Returns: The number of lines suppressed since the last one, or `nil` if this line is
  ///   suppressed too.
  mutating func admits(at now: ContinuousClock.Instant) -> Int? {
    if let last, now - last < Self.interval {
      omitted += 1
      return nil
    }
    defer { (last, omitted) = (now, 0) }
    return omitted
  }
}
