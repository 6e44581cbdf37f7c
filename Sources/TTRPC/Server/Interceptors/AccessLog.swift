public import Logging

/// Writes a line for each call when it is over: who called what, how it ended, how long it took and
/// how much it moved.
public struct AccessLog: ServerInterceptor {
  private let level: Logger.Level

  public init(level: Logger.Level = .info) {
    self.level = level
  }

  public func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    guard context.connectionLogger.logLevel <= level else { return try await next(context) }
    let start = ContinuousClock.now
    do throws(RPCError) {
      try await next(context)
    } catch {
      write(context, error.code, since: start, ["reason": "\(error.message)"])
      throw error
    }
    write(context, .ok, since: start)
  }

  private func write(
    _ context: ServerContext, _ code: StatusCode, since start: ContinuousClock.Instant,
    _ more: Logger.Metadata = [:]
  ) {
    let traffic = context.traffic
    context.logger.log(
      level: level, "call",
      metadata: [
        "status": "\(code)",
        "milliseconds": "\(start.duration(to: .now).milliseconds)",
        "bytes_received": "\(traffic.bytesReceived)",
        "bytes_sent": "\(traffic.bytesSent)",
      ].merging(more) { $1 })
  }
}

extension Duration {
  /// In thousandths of a second, with their thousandths.
  fileprivate var milliseconds: Double {
    let microseconds = components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    return Double(microseconds) / 1000
  }
}
