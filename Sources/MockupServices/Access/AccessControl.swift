internal import NIOConcurrencyHelpers
public import TTRPC

/// The access policy of a running server, which can be replaced at any time.
///
/// Calls that are in flight are not affected. Each later call is checked against the new policy.
public final class AccessControl: Sendable {
  private let current: NIOLockedValueBox<AccessPolicy>

  /// Creates the access control of a server.
  ///
  /// - Parameter policy: The policy until it is replaced.
  public init(_ policy: AccessPolicy) {
    current = NIOLockedValueBox(policy)
  }

  /// The current policy.
  public var policy: AccessPolicy {
    get { current.withLockedValue { $0 } }
    set { current.withLockedValue { $0 = newValue } }
  }

  /// The interceptor that checks each call of a server against the current policy.
  public var authorization: Authorization {
    Authorization(
      isOpenToAll: { AccessTable.allows([], service: $0.service, method: $0.name) }
    ) { [self] peer, method in
      policy.allows(peer, service: method.service, method: method.name)
    }
  }
}
