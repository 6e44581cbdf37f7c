import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

/// Frames that serve no call.
@Suite(.timeLimit(.minutes(15))) struct GRPCFrameWorthTests {
  private typealias Peer = HTTP2RawPeer

  @Test func `a few frames are accepted for each read, request and part of a response`() {
    var worth = GRPCFrameWorth()
    var total = 0
    func wasted(_ frames: Int, reads: Int = 1) -> Int {
      for _ in 0..<reads { worth.bytesReceived() }
      total += frames
      return worth.wastedFrames(total: total)
    }
    let idle = [wasted(8), wasted(9), wasted(8)]
    #expect(idle == [0, 1, 0])
    // A turn that takes or decodes what has arrived before.
    let later = wasted(1, reads: 0)
    #expect(later == 1)
    worth.requestReceived()
    worth.requestReceived()
    let requests = [wasted(25), wasted(9)]
    #expect(requests == [1, 1])
    for _ in 0..<100 { worth.responseSent(1) }
    let single = wasted(100)
    #expect(single == 92)
    worth.responseSent(16_384)
    let response = [wasted(1000), wasted(41)]
    #expect(response == [0, 1])
    // Not more than a thousand are left for later reads.
    worth.responseSent(1_000_000)
    let afterwards = [wasted(8), wasted(1033)]
    #expect(afterwards == [0, 1])
  }

  /// Frames of which a client may send any number, with the frames before them.
  private static let floods: [(String, before: [UInt8], frame: [UInt8])] = [
    ("changes of the window", [], Peer.windowUpdate(0, 1)),
    ("PRIORITY", [], Peer.frame(.priority, 1, [0, 0, 0, 3, 1])),
    ("data of an ended stream", Peer.call("Echo", 1, []), Peer.frame(.data, 1)),
    ("unknown frames", [], [0, 0, 0, 99, 0, 0, 0, 0, 0]),
  ]

  @Test(arguments: floods.indices)
  func `a connection whose frames serve no call is read slowly`(_ index: Int) async throws {
    let flood = Self.floods[index]
    try await withServer { path, _ in
      let peer = try await Peer(path: path)
      try await peer.send(flood.before)
      if !flood.before.isEmpty { _ = try await peer.next(.headers, on: 1) }
      let piece = (0..<1000).flatMap { _ in flood.frame }
      let end = ContinuousClock.now + .seconds(1)
      var sent = 0
      while ContinuousClock.now < end {
        try await peer.send(piece)
        sent += piece.count
      }
      // 8 KiB are read in each 20 ms, and the socket's buffers take some hundred KiB.
      #expect(sent < 2_000_000, "\(flood.0)")
    }
  }
}
