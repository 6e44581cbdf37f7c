internal import NIOConcurrencyHelpers
public import TTRPC

/// The policy that holds now. Another can take its place while the server runs: calls that have begun
/// go on, each later one is held to the new policy.
public final class AccessControl: Sendable {
  private let current: NIOLockedValueBox<AccessPolicy>

  public init(_ policy: AccessPolicy) {
    current = NIOLockedValueBox(policy)
  }

  public var policy: AccessPolicy {
    get { current.withLockedValue { $0 } }
    set { current.withLockedValue { $0 = newValue } }
  }

  /// Holds each call of a server to the policy.
  public var authorization: Authorization {
    Authorization(
      isOpenToAll: { AccessTable.allows([], service: $0.service, method: $0.name) }
    ) { [self] peer, method in
      policy.allows(peer, service: method.service, method: method.name)
    }
  }
}
