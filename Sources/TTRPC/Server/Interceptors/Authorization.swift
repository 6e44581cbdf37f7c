internal import CoreMetrics
internal import Logging

/// Refuses calls that their peer may not make, with ``StatusCode/permissionDenied``.
///
/// Each refusal is logged and counted: `ttrpc_server_denied_total`, by `method`. Names that no method
/// has are whatever a peer made up: they are counted as `unknown`, lest there be a count for each.
public struct Authorization: BracketingInterceptor {
  private let isOpenToAll: @Sendable (MethodDescriptor) -> Bool
  private let allows: @Sendable (PeerIdentity, MethodDescriptor) -> Bool

  /// - Parameters:
  ///   - isOpenToAll: Whether whoever can connect may call a method, always: nobody is asked about then.
  ///   - allows: Whether a peer may call a method. Asked at the beginning of each call, on the
  ///     connection's event loop: it answers from memory.
  public init(
    isOpenToAll: @escaping @Sendable (MethodDescriptor) -> Bool = { _ in false },
    _ allows: @escaping @Sendable (PeerIdentity, MethodDescriptor) -> Bool
  ) {
    self.isOpenToAll = isOpenToAll
    self.allows = allows
  }

  public func bracket(of method: MethodDescriptor, isKnown: Bool) -> (any CallBracket)? {
    isOpenToAll(method) ? nil : Bracket(method: method, isKnown: isKnown, allows: allows)
  }

  private final class Bracket: CallBracket {
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
      // What a peer made up is cut short, since it comes back.
      let name = isKnown ? method.fullName : String(method.fullName.prefix(Self.longestName))
      context.logger.notice("denied")
      Counter(
        label: "ttrpc_server_denied_total", dimensions: [("method", isKnown ? name : "unknown")]
      ).increment()
      throw RPCError(
        code: .permissionDenied, message: "uid \(context.peer.userID) may not call \(name)")
    }

    private static let longestName = 200
  }
}
