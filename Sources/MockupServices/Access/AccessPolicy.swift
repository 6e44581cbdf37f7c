internal import NIOConcurrencyHelpers
public import TTRPC

/// A set of methods that a caller may use.
///
/// The methods of each role are listed in `AccessTable`. The raw value is the role's name in
/// settings and logs.
public enum Role: String, Sendable, Hashable, CaseIterable {
  /// Reserves and settles credits, requests and reviews mockups, and manages users' scenes.
  case service
  /// Claims mockups and reports their outcome.
  case worker
  /// Reads mockups, and records their pins and impressions.
  case scheduler
  /// Calls every method.
  case admin
  /// Reads data, and changes nothing.
  case reader
  /// Reads metrics and the server's state, and nothing else.
  case monitor
}

/// The roles of users and groups, based on the peer's credentials (`SO_PEERCRED`).
///
/// A peer without a role is denied every call except health checks.
public struct AccessPolicy: Sendable, Hashable {
  /// A user or group that can have roles.
  public enum Principal: Sendable, Hashable {
    /// The user with this uid.
    case user(id: UInt32)
    /// All members of the group with this gid, whether it is their primary or a supplementary
    /// group.
    case group(id: UInt32)
  }

  private let roles: [Principal: Set<Role>]

  /// Creates a policy from the principals of each role.
  public init(_ grants: [Role: Set<Principal>]) {
    var roles: [Principal: Set<Role>] = [:]
    for (role, principals) in grants {
      for principal in principals { roles[principal, default: []].insert(role) }
    }
    self.roles = roles
  }

  /// Returns the default policy: root and the server's own user are admins.
  ///
  /// - Parameter serverUserID: The server's effective uid.
  public static func standard(serverUserID: UInt32) -> AccessPolicy {
    AccessPolicy([.admin: [.user(id: 0), .user(id: serverUserID)]])
  }

  /// Returns the roles that a peer has through its user and its groups.
  public func roles(of peer: PeerIdentity) -> Set<Role> {
    peer.groupIDs.reduce(into: roles[.user(id: peer.userID)] ?? []) { found, groupID in
      found.formUnion(roles[.group(id: groupID)] ?? [])
    }
  }

  /// Returns true if the peer may call a method.
  ///
  /// - Parameters:
  ///   - service: The full name of the service, for example `mockups.v1.CreditService`.
  ///   - method: The name of the method.
  public func allows(_ peer: PeerIdentity, service: String, method: String) -> Bool {
    AccessTable.allows(roles(of: peer), service: service, method: method)
  }
}

extension AccessPolicy: CustomStringConvertible {
  /// The principals of each role, for example `admin: uid 0; reader: gid 50, gid 51`.
  public var description: String {
    Role.allCases.compactMap { role in
      let principals = roles.filter { $0.value.contains(role) }.keys
      guard !principals.isEmpty else { return nil }
      let names = principals.sorted().map(\.description).joined(separator: ", ")
      return "\(role.rawValue): \(names)"
    }.joined(separator: "; ")
  }
}

extension AccessPolicy.Principal: Comparable, CustomStringConvertible {
  /// Orders users before groups, and both by their numeric ids.
  public static func < (one: Self, other: Self) -> Bool {
    switch (one, other) {
    case (.user(let id), .user(let otherID)), (.group(let id), .group(let otherID)): id < otherID
    case (.user, .group): true
    case (.group, .user): false
    }
  }

  /// The principal with its numeric id, for example `uid 0` or `gid 50`.
  public var description: String {
    switch self {
    case .user(let id): "uid \(id)"
    case .group(let id): "gid \(id)"
    }
  }
}

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
