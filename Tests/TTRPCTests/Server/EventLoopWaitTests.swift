import Logging
import TestSupport
import Testing

@testable import TTRPC

/// Tests of ``Server/waitForEventLoops()``, which shows that no event loop hangs.
@Suite(.timeLimit(.minutes(15))) struct EventLoopWaitTests {
  /// A service whose handler blocks its thread until it is released.
  private struct Hanging: Service {
    static let serviceName = "p"

    let begun = Flag()
    let released = Flag()

    var methods: [TTRPC.Method] {
      [
        .unary("Echo", WireDuration.self) { request, _ in
          begun.set()
          while !released.isSet {}
          return request
        }
      ]
    }
  }

  @Test func `the wait returns at once if the server does not run`() async {
    await Server(services: [], logger: Logger(label: "test")).waitForEventLoops()
  }

  @Test func `the wait returns although the event loops shut down meanwhile`() async throws {
    try await withTemporaryFolder { folder in
      for round in 0..<100 {
        let server = Server(services: [], eventLoops: 2, logger: Logger(label: "test"))
        let ready = Flag()
        let ended = Flag()
        let serving = Task {
          try await server.run(on: UnixListener(path: "\(folder)/\(round)")) { ready.set() }
        }
        try await ready.wait()
        await withTaskGroup { group in
          for _ in 0..<4 {
            group.addTask {
              while !ended.isSet {
                await server.waitForEventLoops()
                await Task.yield()
              }
            }
          }
          server.drain()
          await _ = serving.result
          ended.set()
        }
      }
    }
  }

  @Test func `the wait does not return while an event loop hangs`() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let service = Hanging()
      var logger = Logger(label: "test")
      logger.logLevel = .critical
      let server = Server(services: [service], eventLoops: 2, logger: logger)
      let ready = Flag()
      async let serving: Void = server.run(on: UnixListener(path: path)) { ready.set() }
      try await ready.wait()
      await server.waitForEventLoops()

      let peer = try RawPeer(path: path)
      try await peer.send(Golden.echoRequest)
      try await service.begun.wait()
      let started = Flag()
      async let wasReleasedBefore: Bool = {
        started.set()
        await server.waitForEventLoops()
        return service.released.isSet
      }()
      try await started.wait()
      // Gives an incorrect wait the time to return before the release.
      try await withServer { path, _ in
        let peer = try RawPeer(path: path)
        try await peer.send(Golden.echoRequest)
        #expect(try await peer.receiveFrame() == Golden.echoResponse)
      }
      service.released.set()
      #expect(await wasReleasedBefore)
      server.drain()
      try await serving
    }
  }
}
