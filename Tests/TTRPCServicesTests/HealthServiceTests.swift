import ProtobufC
import TTRPC
import TestSupport
import Testing

@testable import TTRPCServices

/// The health service, tested with a client.
@Suite(.timeLimit(.minutes(15))) struct HealthServiceTests {
  private let health = HealthService(["": .serving, "shop": .notServing])

  static let known: [(service: String, status: HealthService.Status)] = [
    ("", .serving), ("shop", .notServing),
  ]

  @Test(arguments: known)
  func `a check returns the status of the service`(
    _ service: String, _ status: HealthService.Status
  ) async throws {
    try await withServer(of: [health]) { client, _ in
      let response = try await HealthClient(client).check(HealthCheckRequest(service: service))
      #expect(response.status == status)
    }
  }

  @Test func `a check of an unknown service fails with NOT_FOUND`() async throws {
    try await withServer(of: [health]) { client, _ in
      let error = await #expect(throws: RPCError.self) {
        try await HealthClient(client).check(HealthCheckRequest(service: "nobody"))
      }
      #expect(error?.code == .notFound)
    }
  }

  @Test func `a watch receives the current status and each change`() async throws {
    try await withServer(of: [health]) { client, _ in
      let stub = HealthClient(client)
      let seen = try await stub.watch(HealthCheckRequest()) { responses in
        var seen = [try await responses.next()?.status]
        health.setStatus(.notServing)
        seen.append(try await responses.next()?.status)
        // Setting the same status again, or the status of another service, is not a change.
        health.setStatus(.notServing)
        health.setStatus(.unknown, of: "shop")
        // The server's only event loop answers this after it has run the watch.
        _ = try await stub.check(HealthCheckRequest())
        health.setStatus(.serving)
        seen.append(try await responses.next()?.status)
        return seen
      }
      #expect(seen == [.serving, .notServing, .serving])
    }
  }

  @Test func `a watch of an unknown service stays open`() async throws {
    try await withServer(of: [health]) { client, _ in
      let request = HealthCheckRequest(service: "nobody")
      try await HealthClient(client).watch(request) { responses in
        #expect(try await responses.next()?.status == .serviceUnknown)
        health.setStatus(.notServing)
        _ = try await HealthClient(client).check(HealthCheckRequest())
        #expect(health.watcherCount == 1)
      }
    }
  }

  @Test func `every watch receives the last of many changes`() async throws {
    try await withServer(of: [health]) { client, _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 {
          group.addTask {
            try await HealthClient(client).watch(HealthCheckRequest()) { responses in
              for try await response in responses where response.status == .unknown { return }
              Issue.record("the watch ended before the last status")
            }
          }
        }
        try await waitForWatchers(3)
        for _ in 0..<1000 {
          health.setStatus(.notServing)
          health.setStatus(.serving)
        }
        health.setStatus(.unknown)
        try await group.waitForAll()
      }
    }
  }

  @Test func `a watch is removed when it ends`() async throws {
    try await withServer(of: [health]) { client, _ in
      try await HealthClient(client).watch(HealthCheckRequest(service: "new")) { responses in
        _ = try await responses.next()
        #expect(health.watcherCount == 1)
      }
      try await waitForWatchers(0)
    }
  }

  @Test func `a watch does not delay a drain`() async throws {
    try await withServer(of: [health]) { client, server in
      let error = await #expect(throws: RPCError.self) {
        try await HealthClient(client).watch(HealthCheckRequest()) { responses in
          _ = try await responses.next()
          server.drain()
          _ = try await responses.next()
        }
      }
      #expect(error?.code == .unavailable)
    }
  }

  /// Waits until exactly `count` calls of Watch are in flight.
  private func waitForWatchers(_ count: Int) async throws {
    try await eventually("\(count) watches are in flight") { health.watcherCount == count }
  }
}
