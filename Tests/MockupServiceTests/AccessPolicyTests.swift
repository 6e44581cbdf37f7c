import Testing
import TTRPC

@testable import MockupService

/// Whom a policy takes somebody for.
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

  @Test func rolesComeFromTheUserAndFromEachGroup() {
    let cases: [(peer: PeerIdentity, roles: Set<Role>)] = [
      (Self.peer(1, 100), [.admin]),
      (Self.peer(2, 100), [.service]),
      (Self.peer(3, 50), [.service, .reader]),
      (Self.peer(3, 100, [7, 51]), [.reader]),
      (Self.peer(2, 100, [51]), [.service, .reader]),
      (Self.peer(1, 50), [.admin, .service, .reader]),
      (Self.peer(3, 100, [101]), []),
      // A user's number is no group's, nor the other way round.
      (Self.peer(50, 1), []),
      (Self.peer(51, 2, [1]), []),
      // Root is like anybody else where it was not named.
      (Self.peer(0, 0), []),
    ]
    for (peer, roles) in cases {
      #expect(Self.policy.roles(of: peer) == roles, "\(peer) \(peer.groupIDs)")
    }
  }

  @Test func aPeerMayCallWhatOneOfItsRolesMay() {
    func allows(_ peer: PeerIdentity, _ method: String) -> Bool {
      Self.policy.allows(peer, service: "mockups.v1.CreditService", method: method)
    }
    #expect(allows(Self.peer(2, 9), "ReserveCredits"))
    #expect(allows(Self.peer(9, 51), "GetCreditUsage"))
    #expect(!allows(Self.peer(9, 51), "ReserveCredits"))
    #expect(!allows(Self.peer(9, 9), "GetCreditUsage"))
  }

  @Test func unlessSaidOtherwiseRootAndTheServersUserAreAdmins() {
    let policy = AccessPolicy.standard(serverUserID: 7)
    #expect(policy.roles(of: Self.peer(0, 9)) == [.admin])
    #expect(policy.roles(of: Self.peer(7, 9)) == [.admin])
    #expect(policy.roles(of: Self.peer(9, 0, [7])) == [])
  }

  @Test func aNewPolicyHoldsForTheNextQuestion() {
    let control = AccessControl(AccessPolicy.standard(serverUserID: 7))
    control.policy = Self.policy
    #expect(control.policy.roles(of: Self.peer(0, 0)) == [])
    #expect(control.policy.roles(of: Self.peer(1, 9)) == [.admin])
  }

  @Test func itSaysWhatItGrants() {
    #expect(
      "\(Self.policy)" == "service: uid 2, gid 50; admin: uid 1; reader: gid 50, gid 51")
    #expect("\(AccessPolicy([:]))" == "")
  }
}
