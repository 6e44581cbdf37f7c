public import Logging

/// Logs one line for each call when it ends.
///
/// The line has the peer, the method, the status, the duration in milliseconds, and the number of
/// bytes received and sent.
public struct AccessLog: HookInterceptor {
  private let level: Logger.Level

  /// Creates an access log that writes its lines at the given level.
  public init(level: Logger.Level = .info) {
    self.level = level
  }

  /// Returns a call hook that logs the calls of a method.
  public func hook(for method: MethodDescriptor, isKnown: Bool) -> (any CallHook)? {
    Hook(level: level)
  }

  private final class Hook: CallHook {
    let level: Logger.Level

    init(level: Logger.Level) {
      self.level = level
    }

    func callBegan(_ context: inout ServerContext) {}

    func callEnded(_ context: ServerContext, _ error: RPCError?) {
      guard context.connectionLogger.logLevel <= level else { return }
      let traffic = context.traffic
      var metadata: Logger.Metadata = [
        "status": "\(error?.code ?? .ok)",
        "milliseconds": "\(context.elapsed.milliseconds)",
        "bytes_received": "\(traffic.bytesReceived)",
        "bytes_sent": "\(traffic.bytesSent)",
      ]
      if let error { metadata["reason"] = "\(error.message)" }
      context.logger.log(level: level, "call", metadata: metadata)
    }
  }
}

extension Duration {
  /// The duration in milliseconds, with a resolution of one microsecond.
  fileprivate var milliseconds: Double {
    let microseconds = components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    return Double(microseconds) / 1000
  }
}
