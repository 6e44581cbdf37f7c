internal import CoreMetrics
internal import Logging

/// Refuses calls that their peer may not make, with ``StatusCode/permissionDenied``.
///
/// Each refusal is logged and counted: `ttrpc_server_denied_total`, by `method`. Names that no method
/// has are whatever a peer made up: they are counted as `unknown`, lest there be a count for each.
public struct Authorization: ServerInterceptor {
  private let allows: @Sendable (PeerIdentity, MethodDescriptor) -> Bool

  /// - Parameter allows: Whether a peer may call a method. Asked at the beginning of each call, on the
  ///   connection's event loop: it answers from memory.
  public init(_ allows: @escaping @Sendable (PeerIdentity, MethodDescriptor) -> Bool) {
    self.allows = allows
  }

  public func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    guard allows(context.peer, context.method) else {
      // What a peer made up is cut short, since it comes back.
      let name = context.method.fullName
      let method = context.isKnown ? name : String(name.prefix(Self.longestName))
      context.logger.notice("denied")
      Counter(
        label: "ttrpc_server_denied_total",
        dimensions: [("method", context.isKnown ? method : "unknown")]
      ).increment()
      throw RPCError(
        code: .permissionDenied, message: "uid \(context.peer.userID) may not call \(method)")
    }
    try await next(context)
  }

  private static let longestName = 200
}
