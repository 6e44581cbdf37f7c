import Glibc
import NIOCore
import Testing

@testable import TTRPC

@Suite struct PeerIdentityTests {
  @Test func `the kernel reports the process, the user and all groups of the peer`() throws {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    try #require(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
    defer { for end in ends { close(end) } }
    var groups = [gid_t](repeating: 0, count: PeerIdentity.maximumGroups)
    let count = unsafe getgroups(Int32(groups.count), &groups)
    try #require(count >= 0)

    let peer = try PeerIdentity(ofPeerOn: ends[0])
    #expect(peer.processID == getpid())
    #expect(peer.userID == getuid())
    #expect(peer.groupID == getgid())
    #expect(peer.groupIDs.first == getgid())
    #expect(Set(peer.groupIDs) == Set(groups.prefix(Int(count)) + [getgid()]))
  }

  @Test func `each group is listed once, the primary group first`() {
    let peer = PeerIdentity(
      processID: 1, userID: 2, groupID: 3, supplementaryGroupIDs: [4, 3, 5, 4])
    #expect(peer.groupIDs == [3, 4, 5])
  }

  @Test func `a descriptor that is not a socket has no peer`() throws {
    let descriptor = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    #expect(throws: IOError.self) { try PeerIdentity(ofPeerOn: descriptor) }
  }
}
