import Testing
import TTRPC

@testable import MockupServices

/// The roles that an access policy gives to a peer.
@Suite struct AccessPolicyTests {
  private static func peer(_ userID: UInt32, _ groupID: UInt32, _ others: [UInt32] = [])
    -> PeerIdentity
  {
    PeerIdentity(
      processID: 1, userID: userID, groupID: groupID, supplementaryGroupIDs: others)
  }

  private static let policy = AccessPolicy([
    .admin: [.user(id: 1)],
    .service: [.group(id: 50), .user(id: 2)],
    .reader: [.group(id: 50), .group(id: 51)],
  ])

  @Test func `roles come from the user and from each group`() {
    let cases: [(peer: PeerIdentity, roles: Set<Role>)] = [
      (Self.peer(1, 100), [.admin]),
      (Self.peer(2, 100), [.service]),
      (Self.peer(3, 50), [.service, .reader]),
      (Self.peer(3, 100, [7, 51]), [.reader]),
      (Self.peer(2, 100, [51]), [.service, .reader]),
      (Self.peer(1, 50), [.admin, .service, .reader]),
      (Self.peer(3, 100, [101]), []),
      // A user id does not match a group rule, nor a group id a user rule.
      (Self.peer(50, 1), []),
      (Self.peer(51, 2, [1]), []),
      // Root has no role unless the policy names it.
      (Self.peer(0, 0), []),
    ]
    for (peer, roles) in cases {
      #expect(Self.policy.roles(of: peer) == roles, "\(peer) \(peer.groupIDs)")
    }
  }

  @Test func `a peer may call the methods of each of its roles`() {
    func allows(_ peer: PeerIdentity, _ method: String) -> Bool {
      Self.policy.allows(peer, service: "mockups.v1.CreditService", method: method)
    }
    #expect(allows(Self.peer(2, 9), "ReserveCredits"))
    #expect(allows(Self.peer(9, 51), "GetCreditUsage"))
    #expect(!allows(Self.peer(9, 51), "ReserveCredits"))
    #expect(!allows(Self.peer(9, 9), "GetCreditUsage"))
  }

  @Test func `root and the user of the server are admins by default`() {
    let policy = AccessPolicy.standard(serverUserID: 7)
    #expect(policy.roles(of: Self.peer(0, 9)) == [.admin])
    #expect(policy.roles(of: Self.peer(7, 9)) == [.admin])
    #expect(policy.roles(of: Self.peer(9, 0, [7])) == [])
  }

  @Test func `a new policy applies from the next check on`() {
    let control = AccessControl(AccessPolicy.standard(serverUserID: 7))
    control.policy = Self.policy
    #expect(control.policy.roles(of: Self.peer(0, 0)) == [])
    #expect(control.policy.roles(of: Self.peer(1, 9)) == [.admin])
  }

  @Test func `the description lists the granted roles`() {
    #expect(
      "\(Self.policy)" == "service: uid 2, gid 50; admin: uid 1; reader: gid 50, gid 51")
    #expect("\(AccessPolicy([:]))" == "")
  }
}
