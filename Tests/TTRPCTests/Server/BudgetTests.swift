import NIOConcurrencyHelpers
import NIOCore
import ProtobufC
import TestSupport
import Testing

@testable import TTRPC

/// The limits on users and their connections.
@Suite(.timeLimit(.minutes(15))) struct BudgetTests {
  private static let guest = PeerBudget(connections: 2, calls: 2, endlessCalls: 2, isGuest: true)

  private static func request(
    _ streamID: UInt32, _ method: String, flags: FrameFlags = .remoteClosed,
    metadata: Metadata = Metadata()
  ) -> [UInt8] {
    let request = WireRequest(
      service: "p", method: method, payload: WireDuration(seconds: 1).serialized(), timeout: nil,
      metadata: metadata)
    var buffer = ByteBuffer()
    _ = buffer.writeFrame(
      streamID: streamID, type: .request, flags: flags, message: request, limit: .max)
    return Array(buffer.readableBytesView)
  }

  private static func code(_ frame: [UInt8]?) throws -> StatusCode {
    switch try outcome(of: frame) {
    case .success: .ok
    case .failure(let error): error.code
    }
  }

  /// Opens an endless call and waits for its first message.
  ///
  /// - Returns: The status codes of the streams that ended before that message.
  private static func watch(
    _ peer: RawPeer, _ streamID: UInt32, _ method: String = "Watch"
  ) async throws -> [UInt32: StatusCode] {
    try await peer.send(request(streamID, method))
    var ended: [UInt32: StatusCode] = [:]
    while true {
      let frame = try #require(try await peer.receiveFrame())
      let id = frame[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      if frame[8] == FrameType.response.rawValue {
        ended[id] = try code(frame)
      } else if id == streamID {
        return ended
      }
    }
  }

  // MARK: Users

  @Test func `each user has its own limits, and all guests share half of the server`() throws {
    var limits = ServerLimits.patient
    limits.connections = 8
    limits.calls = 8
    limits.reservedConnections = 0
    let load = ServerLoad(limits)
    var guests: [Admission] = []
    for userID: UInt32 in [1, 1, 1, 2, 2, 3] {
      if let admission = load.connectionOpened(by: userID, Self.guest) { guests.append(admission) }
    }
    // Each guest gets two, and all guests together get four.
    #expect(guests.map(\.account.userID) == [1, 1, 2, 2])
    let member = try #require(load.connectionOpened(by: 4, .unlimited))
    #expect(load.openConnections == 5)

    #expect(guests.map { load.callStarted(.bounded, $0) } == [true, true, true, true])
    #expect(!load.callStarted(.bounded, guests[0]))
    #expect(
      (0..<5).map { _ in load.callStarted(.bounded, member) } == [true, true, true, true, false])
    load.callEnded(.bounded, guests[0])
    #expect(load.callStarted(.bounded, guests[1]))
    #expect(load.callsInFlight == 8)

    for admission in guests + [member] { load.connectionClosed(admission) }
    #expect(load.openConnections == 0)
    // Handlers that outlive their connection count for its user's next one.
    let again = try #require(load.connectionOpened(by: 1, Self.guest))
    #expect(again.account === guests[0].account)
    for admission in guests { load.callEnded(.bounded, admission) }
    for _ in 0..<4 { load.callEnded(.bounded, member) }
    load.connectionClosed(again)
    #expect(load.callsInFlight == 0)
    #expect(
      try #require(load.connectionOpened(by: 1, Self.guest)).account !== guests[0].account)
    let late = try #require(load.connectionOpened(by: 4, .unlimited))
    #expect(late.account !== member.account)
    load.connectionClosed(late)
    let next = (0..<4).map { load.connectionOpened(by: $0, Self.guest) != nil }
    #expect(next == [true, true, true, false])
  }

  @Test func `no user can take all reserved connections`() throws {
    var limits = ServerLimits.patient
    limits.connections = 1
    limits.reservedConnections = 3
    let load = ServerLoad(limits)
    let admissions = (0..<4).map { _ in load.connectionOpened(by: 1, .unlimited) }
    #expect(admissions.map { $0?.isReserved } == [false, true, true, nil])
    let other = try #require(load.connectionOpened(by: 2, .unlimited))
    #expect(other.isReserved)
    #expect(load.connectionOpened(by: 2, .unlimited) == nil)
    load.connectionClosed(other)
    #expect(load.connectionOpened(by: 3, .unlimited)?.isReserved == true)
  }

  @Test func `a changed budget applies to open connections`() async throws {
    let isGuest = NIOLockedValueBox(true)
    let service = TestService()
    let budget: @Sendable (PeerIdentity) -> PeerBudget = { peer in
      #expect(peer.userID == ownUserID())
      return isGuest.withLockedValue(\.self) ? Self.guest : .unlimited
    }
    try await withServer(service: service, budget: budget) { path, server in
      let peer = try RawPeer(path: path)
      try await peer.send(
        Self.request(1, "Hold") + Self.request(3, "Hold") + Self.request(5, "Hold"))
      #expect(try Self.code(try await peer.receiveFrame()) == .resourceExhausted)
      isGuest.withLockedValue { $0 = false }
      server.budgetsChanged()
      // When the event loops have run a task, the connection uses the new budget.
      await server.waitForEventLoops()
      try await peer.send(Self.request(7, "Hold") + Self.request(9, "Echo"))
      let answer = try #require(try await peer.receiveFrame())
      #expect(answer[7] == 9)
      #expect(try Self.code(answer) == .ok)
      service.released.set()
      for _ in 0..<3 { #expect(try Self.code(try await peer.receiveFrame()) == .ok) }
      // Calls that started as a guest's are no longer counted after they end.
      isGuest.withLockedValue { $0 = true }
      server.budgetsChanged()
      await server.waitForEventLoops()
      try await peer.send(Self.request(11, "Echo"))
      #expect(try Self.code(try await peer.receiveFrame()) == .ok)
      try await server.waitUntilIdle()
    }
  }

  // MARK: Health checks

  @Test func `immediate methods and HTTP are answered when no other calls are admitted`()
    async throws
  {
    var limits = ServerLimits.patient
    limits.calls = 1
    limits.callsPerConnection = 1
    limits.queuedBytesPerConnection = 1
    let service = TestService()
    let routes = [HTTPRoute(path: "/healthz") { _ throws(RPCError) in HTTPResponse(line: "ok") }]
    try await withServer(routes: routes, limits: limits, service: service) { path, server in
      let peer = try RawPeer(path: path)
      try await peer.send(Self.request(1, "Hold") + Self.request(3, "Echo"))
      #expect(try Self.code(try await peer.receiveFrame()) == .resourceExhausted)
      // With call hooks only, and inside interceptors (with metadata).
      for (streamID, metadata) in [(UInt32(5), Metadata()), (7, ["k": "v"])] {
        try await peer.send(Self.request(streamID, "Now", metadata: metadata))
        let answer = try #require(try await peer.receiveFrame())
        #expect(answer[7] == UInt8(streamID))
        #expect(try Self.code(answer) == .ok)
      }
      let http = try RawPeer(path: path)
      try await http.send(Array("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
      #expect(try await http.receive(4096).starts(with: "HTTP/1.1 200".utf8))
      service.released.set()
      #expect(try Self.code(try await peer.receiveFrame()) == .ok)
      try await server.waitUntilIdle()
    }
  }

  @Test func `a connection with many watches serves immediate methods with metadata`() async throws
  {
    var limits = ServerLimits.patient
    limits.callsPerConnection = 1
    try await withServer(limits: limits, service: TestService()) { path, server in
      let peer = try RawPeer(path: path)
      for streamID: UInt32 in [1, 3, 5] { #expect(try await Self.watch(peer, streamID) == [:]) }
      try await peer.send(Self.request(7, "Now", metadata: ["k": "v"]))
      #expect(try Self.code(try await peer.receiveFrame()) == .ok)
    }
  }

  @Test func `a full server keeps connections for health checks`() async throws {
    var limits = ServerLimits.patient
    limits.connections = 1
    limits.reservedConnections = 4
    limits.reservedConnectionTimeout = .seconds(3600)
    let routes = [HTTPRoute(path: "/healthz") { _ throws(RPCError) in HTTPResponse(line: "ok") }]
    try await withServer(routes: routes, limits: limits) { path, server in
      let first = try RawPeer(path: path)
      try await first.send(Self.request(1, "Echo"))
      #expect(try Self.code(try await first.receiveFrame()) == .ok)

      let probe = try RawPeer(path: path)
      try await probe.send(Self.request(1, "Now") + Self.request(3, "Echo"))
      #expect(try Self.code(try await probe.receiveFrame()) == .ok)
      let refused = try outcome(of: try await probe.receiveFrame())
      guard case .failure(let error) = refused else {
        Issue.record("a call other than a health check succeeded on a reserved connection")
        return
      }
      #expect(error.code == .resourceExhausted)
      #expect(error.retryDelay != nil)

      let http = try RawPeer(path: path)
      try await http.send(Array("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
      #expect(try await http.receive(4096).starts(with: "HTTP/1.1 200".utf8))
      _ = server
    }
  }

  @Test func `a reserved connection is closed after its time limit`() async throws {
    var limits = ServerLimits.patient
    limits.connections = 1
    limits.reservedConnectionTimeout = .milliseconds(50)
    try await withServer(limits: limits) { path, _ in
      let first = try RawPeer(path: path)
      try await first.send(Self.request(1, "Echo"))
      #expect(try Self.code(try await first.receiveFrame()) == .ok)
      #expect(try await RawPeer(path: path).isClosed())
      try await first.send(Self.request(3, "Echo"))
      #expect(try Self.code(try await first.receiveFrame()) == .ok)
    }
  }

  // MARK: Endless calls

  @Test func `newer watches end abandoned ones, and other calls go on`() async throws {
    var limits = ServerLimits.patient
    limits.callsPerConnection = 1
    limits.endlessCallsPerConnection = 4
    try await withServer(limits: limits) { path, server in
      let peer = try RawPeer(path: path)
      var ended: [UInt32: StatusCode] = [:]
      for number: UInt32 in 0..<20 {
        ended.merge(try await Self.watch(peer, 2 * number + 1)) { $1 }
      }
      let oldest = (0..<16).map { UInt32(2 * $0 + 1) }
      #expect(ended.keys.sorted() == oldest)
      #expect(ended.values.allSatisfy { $0 == .resourceExhausted })
      try await peer.send(Self.request(99, "Echo"))
      #expect(try Self.code(try await peer.receiveFrame()) == .ok)
      try await eventually { server.load.callsInFlight <= 4 }
    }
  }

  @Test func `a new watch ends the oldest watch of the method with the most watches`() async throws
  {
    var limits = ServerLimits.patient
    limits.endlessCallsPerConnection = 3
    let service = TestService()
    try await withServer(limits: limits, service: service) { path, _ in
      defer { service.released.set() }
      let peer = try RawPeer(path: path)
      try await peer.send(Self.request(1, "Stall", flags: .remoteOpen))
      #expect(try await Self.watch(peer, 3).isEmpty)
      #expect(try await Self.watch(peer, 5).isEmpty)
      #expect(try await Self.watch(peer, 7) == [3: .resourceExhausted])
      #expect(try await Self.watch(peer, 9) == [5: .resourceExhausted])
    }
  }

  @Test func `a stream with a deadline is not endless`() async throws {
    var limits = ServerLimits.patient
    limits.endlessCallsPerConnection = 1
    let service = TestService()
    try await withServer(limits: limits, service: service) { path, _ in
      let peer = try RawPeer(path: path)
      let request = WireRequest(
        service: "p", method: "Watch", payload: [], timeout: .seconds(3600), metadata: Metadata())
      var buffer = ByteBuffer()
      _ = buffer.writeFrame(
        streamID: 1, type: .request, flags: .remoteClosed, message: request, limit: .max)
      try await peer.send(Array(buffer.readableBytesView))
      #expect(try await peer.receiveFrame()?[8] == FrameType.data.rawValue)
      #expect(try await Self.watch(peer, 3).isEmpty)
      #expect(try await Self.watch(peer, 5) == [3: .resourceExhausted])
    }
  }

  @Test func `a new watch ends the oldest watch of the user on any connection`() async throws {
    let budget = PeerBudget(connections: 10, calls: 10, endlessCalls: 3)
    try await withServer(budget: { _ in budget }) { path, server in
      let first = try RawPeer(path: path)
      #expect(try await Self.watch(first, 1).isEmpty)
      #expect(try await Self.watch(first, 3).isEmpty)
      let second = try RawPeer(path: path)
      #expect(try await Self.watch(second, 1).isEmpty)
      #expect(try await Self.watch(second, 3).isEmpty)
      let end = try #require(try await first.receiveFrame())
      #expect(end[7] == 1)
      #expect(try Self.code(end) == .resourceExhausted)
      // A cancelled watch frees its slot.
      try await first.send(Golden.bytes("00000000 00000003 04 00"))
      #expect(try Self.code(try await first.receiveFrame()) == .cancelled)
      #expect(try await Self.watch(first, 5).isEmpty)
      try await server.wait(forCalls: 3)
    }
  }

  @Test func `a smaller budget ends the oldest watches`() async throws {
    let isGuest = NIOLockedValueBox(false)
    let budget: @Sendable (PeerIdentity) -> PeerBudget = { _ in
      isGuest.withLockedValue(\.self) ? Self.guest : .unlimited
    }
    try await withServer(budget: budget) { path, server in
      let peer = try RawPeer(path: path)
      for streamID: UInt32 in [1, 3, 5, 7] {
        #expect(try await Self.watch(peer, streamID).isEmpty)
      }
      isGuest.withLockedValue { $0 = true }
      server.budgetsChanged()
      for streamID: UInt8 in [1, 3] {
        let end = try #require(try await peer.receiveFrame())
        #expect(end[7] == streamID)
        #expect(try Self.code(end) == .resourceExhausted)
      }
      try await server.wait(forCalls: 2)
      #expect(try await Self.watch(peer, 9) == [5: .resourceExhausted])
    }
  }

  @Test func `at the server limit, a new watch is refused and no watch is ended`() async throws {
    var limits = ServerLimits.patient
    limits.endlessCalls = 2
    try await withServer(limits: limits) { path, server in
      let peer = try RawPeer(path: path)
      #expect(try await Self.watch(peer, 1).isEmpty)
      #expect(try await Self.watch(peer, 3).isEmpty)
      try await peer.send(Self.request(5, "Watch"))
      let refusal = try #require(try await peer.receiveFrame())
      #expect(refusal[7] == 5)
      #expect(try Self.code(refusal) == .resourceExhausted)
      #expect(server.load.callsInFlight == 2)
    }
  }
}
