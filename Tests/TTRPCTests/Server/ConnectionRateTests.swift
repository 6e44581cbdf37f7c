import Glibc
import NIOCore
import TestSupport
import Testing

@testable import TTRPC

/// The rate at which a user may connect.
@Suite(.timeLimit(.minutes(15))) struct ConnectionRateTests {
  private static let begin = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  /// Returns the waits of connections of a user at times after the beginning, in milliseconds.
  private static func waits(
    _ rate: inout ConnectionRate, _ user: UInt32, _ times: [Int64]
  ) -> [Int64] {
    times.map { rate.wait(of: user, at: begin + .milliseconds($0)).nanoseconds / 1_000_000 }
  }

  @Test func `the connections of five seconds come at once, and others at the rate`() {
    var rate = ConnectionRate(perSecond: 10)
    let atOnce = Self.waits(&rate, 1, [Int64](repeating: 0, count: 51))
    #expect(atOnce == [Int64](repeating: 0, count: 51))
    let more = Self.waits(&rate, 1, [0, 0, 0, 250, 10_000])
    #expect(more == [100, 200, 300, 150, 0])
    // Another user does not wait.
    let others = Self.waits(&rate, 2, [0])
    #expect(others == [0])
  }

  @Test func `no connection waits for more than a second`() {
    var rate = ConnectionRate(perSecond: 10)
    let waits = Self.waits(&rate, 1, [Int64](repeating: 0, count: 500))
    #expect(waits.max() == 1000)
    // The bucket is full again as if no others had come.
    let later = Self.waits(&rate, 1, [1200, 6200])
    #expect(later == [0, 0])
  }

  @Test func `a violation of the protocol counts as a hundred connections`() {
    var rate = ConnectionRate(perSecond: 100)
    rate.violated(by: 1, at: Self.begin)
    // 100 of 500 are taken.
    let few = Self.waits(&rate, 1, [Int64](repeating: 0, count: 402))
    #expect(few.firstIndex { $0 > 0 } == 401)
    #expect(few.last == 10)
    for _ in 0..<100 { rate.violated(by: 1, at: Self.begin) }
    let many = Self.waits(&rate, 1, [0, 999, 1000])
    #expect(many == [1000, 1, 10])
    let others = Self.waits(&rate, 2, [0])
    #expect(others == [0])
  }

  @Test func `users are forgotten whose buckets are full`() {
    var rate = ConnectionRate(perSecond: 1)
    let first = (0..<2000).map { rate.wait(of: $0, at: Self.begin) }
    #expect(first.allSatisfy { $0 == .zero })
    // Those that have connected often are not.
    let waits = Self.waits(&rate, 7, [0, 0, 0, 0, 0, 0])
    #expect(waits == [0, 0, 0, 0, 0, 1000])
    let later = Self.begin + .seconds(2)
    for user in 0..<2000 as Range<UInt32> where user != 7 { _ = rate.wait(of: user, at: later) }
    let laterWaits = Self.waits(&rate, 7, [2000, 2000, 2000])
    #expect(laterWaits == [0, 0, 1000])
  }

  @Test func `zero is no limit`() {
    var rate = ConnectionRate(perSecond: 0)
    let waits = Self.waits(&rate, 1, [Int64](repeating: 0, count: 10_000))
    #expect(waits.allSatisfy { $0 == 0 })
  }

  @Test func `connections that wait are served`() async throws {
    var limits = ServerLimits.patient
    limits.connectionsPerSecondPerUser = 1
    try await withServer(limits: limits) { path, server in
      // The first six do not wait.
      for _ in 0..<8 {
        let peer = try RawPeer(path: path)
        try await peer.send(Golden.echoRequest)
        #expect(try await peer.receive(Golden.echoResponse.count) == Golden.echoResponse)
      }
      try await eventually("all are closed") { server.load.openConnections == 0 }
    }
  }

  /// Bytes that break the rules of each protocol.
  private static let violations: [(String, [UInt8])] = [
    ("ttrpc", [0xff]),
    ("gRPC", HTTP2RawPeer.preface + HTTP2RawPeer.settings([]) + HTTP2RawPeer.windowUpdate(0, 0)),
  ]

  @Test func `connections wait after a violation of the protocol`() async throws {
    for (name, bytes) in Self.violations {
      try await withServer { path, server in
        let before = NIODeadline.now()
        for _ in 0..<12 {
          let peer = try RawPeer(path: path)
          try await peer.send(bytes)
          while try await !peer.receive(1000).isEmpty {}
        }
        // At the time before them, so that the result does not depend on the time that they took.
        let wait = server.parts.connectionRates.wait(of: getuid(), at: before)
        #expect(wait > .zero, "\(name)")
      }
    }
  }

  @Test func `a drain does not wait for connections that wait`() async throws {
    var limits = ServerLimits.patient
    limits.connectionsPerSecondPerUser = 1
    try await withServer(limits: limits) { path, server in
      var open: [RawPeer] = []
      for _ in 0..<9 { open.append(try RawPeer(path: path)) }
      try await eventually("all are accepted") { server.load.openConnections == 9 }
      server.drain()
      for peer in open { #expect(try await peer.receive(1).isEmpty) }
      try await eventually("all are closed") { server.load.openConnections == 0 }
    }
  }
}
