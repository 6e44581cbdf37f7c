internal import Logging
internal import NIOConcurrencyHelpers
internal import Postgres

/// The log of the connections to the database.
///
/// While the database is unreachable, each connection tries to connect about once a second. The
/// log has at most one warning every ten seconds, and the end of an outage that it has reported.
/// The other failures are logged at debug level.
final class ConnectionLog: Sendable {
  private struct State {
    /// True from a failure that was logged until a connection is established.
    var isOutage = false
    var lastWarning: ContinuousClock.Instant?
    /// The number of failures since that warning.
    var omitted = 0
  }

  /// The shortest time between two warnings.
  static let interval: Duration = .seconds(10)

  private let logger: Logger
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state = NIOLockedValueBox(State())

  /// - Parameter now: The clock that measures the time between warnings.
  init(_ logger: Logger, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
    self.logger = logger
    self.now = now
  }

  /// Logs an event of a connection.
  func report(_ event: PoolEvent) {
    switch event {
    case .connected(let throughPooler):
      let isEnd = state.withLockedValue { state in
        defer { state.isOutage = false }
        return state.isOutage
      }
      logger.log(
        level: isEnd ? .notice : .info,
        """
        connected to the database\(isEnd ? " again" : "")\
        \(throughPooler ? " through a connection pooler" : "")
        """)
    case .connectionFailed(let error, let retryIn):
      warn("cannot connect to the database", error, retryIn)
    case .connectionLost(let error, let retryIn):
      warn("lost a connection to the database", error, retryIn)
    case .notice(let notice):
      logger.debug(
        "the database sent a notice",
        metadata: ["severity": "\(notice.severity)", "notice": "\(notice.message.onOneLine)"])
    }
  }

  private func warn(_ message: Logger.Message, _ error: PostgresError, _ retryIn: Duration) {
    let omitted = state.withLockedValue { state -> Int? in
      let now = now()
      if let last = state.lastWarning, now - last < Self.interval {
        state.omitted += 1
        return nil
      }
      defer { (state.isOutage, state.lastWarning, state.omitted) = (true, now, 0) }
      return state.omitted
    }
    var metadata: Logger.Metadata = [
      "error": "\(error.report.onOneLine)", "retry_in": "\(retryIn.rounded)",
    ]
    if let omitted, omitted > 0 { metadata["failures_since_last_line"] = "\(omitted)" }
    logger.log(level: omitted == nil ? .debug : .warning, message, metadata: metadata)
  }
}

extension Duration {
  /// The duration in words, rounded to milliseconds, or to tenths of a second from one second on.
  var rounded: String {
    let seconds = self / .seconds(1)
    guard seconds < 1 else { return "\((seconds * 10).rounded() / 10) s" }
    return "\(Int((seconds * 1000).rounded())) ms"
  }
}
