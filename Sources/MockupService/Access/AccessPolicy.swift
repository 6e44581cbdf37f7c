public import TTRPC

/// Who has which roles, by the kernel's word on who connected. Who has none is denied everything but
/// health.
public struct AccessPolicy: Sendable, Hashable {
  /// Somebody who can be given a role.
  public enum Principal: Sendable, Hashable {
    case user(id: UInt32)
    /// Everybody in a group, be it their primary one or another.
    case group(id: UInt32)
  }

  private let roles: [Principal: Set<Role>]

  public init(_ grants: [Role: Set<Principal>]) {
    var roles: [Principal: Set<Role>] = [:]
    for (role, principals) in grants {
      for principal in principals { roles[principal, default: []].insert(role) }
    }
    self.roles = roles
  }

  /// What holds where nothing was said: root and the server's own user are admins, and nobody else is
  /// anything.
  public static func standard(serverUserID: UInt32) -> AccessPolicy {
    AccessPolicy([.admin: [.user(id: 0), .user(id: serverUserID)]])
  }

  /// All roles that a peer has, by its user and by each of its groups.
  public func roles(of peer: PeerIdentity) -> Set<Role> {
    peer.groupIDs.reduce(into: roles[.user(id: peer.userID)] ?? []) { found, groupID in
      found.formUnion(roles[.group(id: groupID)] ?? [])
    }
  }

  public func allows(_ peer: PeerIdentity, service: String, method: String) -> Bool {
    AccessTable.allows(roles(of: peer), service: service, method: method)
  }
}

extension AccessPolicy: CustomStringConvertible {
  /// Who is what, role by role: `admin: uid 0; reader: gid 50, gid 51`.
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
  /// Users before groups, each by their numbers.
  public static func < (one: Self, other: Self) -> Bool {
    switch (one, other) {
    case (.user(let id), .user(let otherID)), (.group(let id), .group(let otherID)): id < otherID
    case (.user, .group): true
    case (.group, .user): false
    }
  }

  public var description: String {
    switch self {
    case .user(let id): "uid \(id)"
    case .group(let id): "gid \(id)"
    }
  }
}
