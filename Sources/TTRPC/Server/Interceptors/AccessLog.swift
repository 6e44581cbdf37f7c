public import Logging

/// Writes a line for each call when it is over: who called what, how it ended, how long it took and
/// how much it moved.
public struct AccessLog: BracketingInterceptor {
  private let level: Logger.Level

  public init(level: Logger.Level = .info) {
    self.level = level
  }

  public func bracket(of method: MethodDescriptor, isKnown: Bool) -> (any CallBracket)? {
    Bracket(level: level)
  }

  private final class Bracket: CallBracket {
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
        "milliseconds": "\(context.began.duration(to: .now).milliseconds)",
        "bytes_received": "\(traffic.bytesReceived)",
        "bytes_sent": "\(traffic.bytesSent)",
      ]
      if let error { metadata["reason"] = "\(error.message)" }
      context.logger.log(level: level, "call", metadata: metadata)
    }
  }
}

extension Duration {
  /// In thousandths of a second, with their thousandths.
  fileprivate var milliseconds: Double {
    let microseconds = components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    return Double(microseconds) / 1000
  }
}
