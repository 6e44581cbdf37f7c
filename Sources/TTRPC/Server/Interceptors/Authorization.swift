internal import CoreMetrics
internal import Logging

/// Refuses calls that the policy does not permit to the peer, with ``StatusCode/permissionDenied``.
///
/// Each refusal is logged, and counted in `ttrpc_server_denied_total` by `method`. The names of
/// unknown methods are chosen by the peer, so all of them are counted as `unknown` instead of
/// creating a time series each.
public struct Authorization: HookInterceptor {
  private let isOpenToAll: @Sendable (MethodDescriptor) -> Bool
  private let allows: @Sendable (PeerIdentity, MethodDescriptor) -> Bool

  /// Creates an interceptor for a policy.
  ///
  /// - Parameters:
  ///   - isOpenToAll: Returns whether every peer may call a method. If so, `allows` is not called.
  ///   - allows: Returns whether a peer may call a method. It is called at the beginning of each
  ///     call, on the connection's event loop, and must not block.
  public init(
    isOpenToAll: @escaping @Sendable (MethodDescriptor) -> Bool = { _ in false },
    _ allows: @escaping @Sendable (PeerIdentity, MethodDescriptor) -> Bool
  ) {
    self.isOpenToAll = isOpenToAll
    self.allows = allows
  }

  /// Returns a call hook that checks the peer, or `nil` if the method is open to all.
  public func hook(for method: MethodDescriptor, isKnown: Bool) -> (any CallHook)? {
    isOpenToAll(method) ? nil : Hook(method: method, isKnown: isKnown, allows: allows)
  }

  private final class Hook: CallHook {
    let method: MethodDescriptor
    let isKnown: Bool
    let allows: @Sendable (PeerIdentity, MethodDescriptor) -> Bool

    init(
      method: MethodDescriptor, isKnown: Bool,
      allows: @escaping @Sendable (PeerIdentity, MethodDescriptor) -> Bool
    ) {
      self.method = method
      self.isKnown = isKnown
      self.allows = allows
    }

    func callBegan(_ context: inout ServerContext) throws(RPCError) {
      guard !allows(context.peer, method) else { return }
      // The peer chose the name of an unknown method, and the message returns it: truncate it.
      let name = isKnown ? method.fullName : String(method.fullName.prefix(Self.maxNameCharacters))
      context.logger.notice("call denied")
      Counter(
        label: "ttrpc_server_denied_total", dimensions: [("method", isKnown ? name : "unknown")]
      ).increment()
      throw RPCError(
        code: .permissionDenied, message: "uid \(context.peer.userID) may not call \(name)")
    }

    private static let maxNameCharacters = 200
  }
}
