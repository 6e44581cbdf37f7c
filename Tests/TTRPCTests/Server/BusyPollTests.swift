import Glibc
import NIOCore
import NIOEmbedded
import ProtobufC
import TestSupport
import Testing

@testable import TTRPC

@Suite struct BusyPollTests {
  @Test func `a poll ends when bytes arrive, the peer disconnects or the time is over`() throws {
    var sockets: [Int32] = [0, 0]
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &sockets) == 0)
    defer { close(sockets[0]) }
    let loop = EmbeddedEventLoop()
    let short = BusyPoll(eventLoop: loop, time: .microseconds(50), processors: 2)
    #expect(!short.wait(for: sockets[0]))
    let long = BusyPoll(eventLoop: loop, time: .hours(1), processors: 2)
    try #require(unsafe write(sockets[1], "x", 1) == 1)
    #expect(long.wait(for: sockets[0]))
    // A disconnect ends the poll, too.
    var byte: UInt8 = 0
    try #require(unsafe read(sockets[0], &byte, 1) == 1)
    close(sockets[1])
    #expect(long.wait(for: sockets[0]))
  }

  @Test(arguments: [(0, 2, false), (50, 1, false), (50, 2, true)])
  func `polling needs a positive time and a second processor`(
    microseconds: Int64, processors: Int, isEnabled: Bool
  ) {
    let poll = BusyPoll(
      eventLoop: EmbeddedEventLoop(), time: .microseconds(microseconds), processors: processors)
    #expect(poll.isEnabled == isEnabled)
  }

  @Test func `each poll without input doubles the next pause, up to a limit`() {
    var pause = PollPause()
    func responsesUntilOver() -> Int {
      var count = 1
      while !pause.isOver() { count += 1 }
      return count
    }
    #expect(responsesUntilOver() == 1)
    for expected in [2, 3, 5, 9, 17, 33, 65, 65] {
      pause.recordPoll(foundInput: false)
      #expect(responsesUntilOver() == expected)
    }
    pause.recordPoll(foundInput: true)
    #expect(responsesUntilOver() == 1)
    pause.recordPoll(foundInput: false)
    #expect(responsesUntilOver() == 2)
  }
}

/// A server that polls for an hour.
///
/// A call that has to wait for a poll to end exceeds the time limit of the test.
@Suite(.timeLimit(.minutes(15))) struct BusyPollingServerTests {
  private static var limits: ServerLimits {
    var limits = ServerLimits.patient
    limits.busyPollTime = .seconds(3600)
    return limits
  }

  private static func call(_ peer: RawPeer, _ method: String, _ number: Int) async throws -> Int64 {
    try await peer.send(requestFrames(method, [number]))
    return try await answer(peer)
  }

  private static func answer(_ peer: RawPeer) async throws -> Int64 {
    let outcome = try outcome(of: try await peer.receiveFrame())
    return try WireDuration(serialized: try outcome.get()).seconds
  }

  @Test func `a peer that calls again is answered, and a disconnected one does not delay others`()
    async throws
  {
    try await withServer(limits: Self.limits) { path, _ in
      let peer = try RawPeer(path: path)
      for number in 0..<100 {
        let method = number.isMultiple(of: 2) ? "Echo" : "Later"
        #expect(try await Self.call(peer, method, number) == number + 1)
      }
      peer.disconnect()
      let other = try RawPeer(path: path)
      #expect(try await Self.call(other, "Echo", 1) == 2)
      other.disconnect()
    }
  }

  @Test func `no connection waits for the next call of another`() async throws {
    try await withServer(limits: Self.limits) { path, _ in
      let (one, other) = (try RawPeer(path: path), try RawPeer(path: path))
      for number in 0..<20 {
        #expect(try await Self.call(one, "Echo", number) == number + 1)
        #expect(try await Self.call(other, "Echo", number) == number + 1)
      }
      one.disconnect()
      other.disconnect()
    }
  }

  @Test func `a poll does not delay a running call`() async throws {
    try await withServer(limits: Self.limits) { path, _ in
      let peer = try RawPeer(path: path)
      for number in 0..<5 {
        let later = requestFrames("Later", [2 * number])
        try await peer.send(later + requestFrames("Echo", [2 * number + 1]))
        let answers = [try await Self.answer(peer), try await Self.answer(peer)]
        #expect(Set(answers) == [Int64(2 * number + 1), Int64(2 * number + 2)])
      }
      peer.disconnect()
    }
  }
}
