import Foundation
import MockupClient
import Postgres
import TTRPCServices
import TestSupport
import Testing

/// HTTP requests on the server's socket.
enum HTTP {
  /// Sends a GET request and returns the whole response.
  static func get(_ path: String, at socket: String) async throws -> String {
    let peer = try RawPeer(path: socket)
    try await peer.send(Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    return String(decoding: try await peer.receive(1_000_000), as: UTF8.self)
  }
}

/// Health, readiness, metrics and call logs of a running server.
@Suite struct HealthTests {
  @Test func `a server reports SERVING only while the database answers`() async throws {
    try await PrivatePostgres.with { postgres in
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(on: postgres.database, folder: folder)
        let client = Client(path: server.socket)
        let request = HealthCheckRequest(service: "mockups.v1.CreditService")
        try await HealthClient(client).watch(
          request, options: CallOptions(timeout: testTimeout)
        ) { answers in
          while try await answers.next()?.status != .serving {}
          #expect(try await HTTP.get("/readyz", at: server.socket).hasPrefix("HTTP/1.1 200 "))

          try await postgres.stop()
          #expect(try await answers.next()?.status == .notServing)
          #expect(try await HealthClient(client).check(request).status == .notServing)
          #expect(try await HTTP.get("/readyz", at: server.socket).hasPrefix("HTTP/1.1 503 "))
          #expect(try await HTTP.get("/healthz", at: server.socket).hasPrefix("HTTP/1.1 200 "))

          try await postgres.start()
          #expect(try await answers.next()?.status == .serving)
        }
        let ending = await server.stop()
        #expect(ending.exitCode == 0, "\(ending)")
      }
    }
  }

  @Test func `a health watch ends at once when the server stops`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(on: database.service, folder: folder)
        let error = await #expect(throws: RPCError.self) {
          try await HealthClient(Client(path: server.socket)).watch(HealthCheckRequest()) {
            answers in
            while try await answers.next()?.status != .serving {}
            server.process.signal(SIGTERM)
            _ = try await answers.next()
          }
        }
        #expect(error?.code == .unavailable)
        let ending = await server.process.ending()
        #expect(ending.exitCode == 0)
        #expect(!ending.errors.contains("did not finish"), "\(ending)")
      }
    }
  }

  @Test func `calls are counted, logged and traced`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      let settings = ["MOCKUPD_LOG_CALL_LEVEL": "warning", "MOCKUPD_LOG_FORMAT": "json"]
      try await database.withServer(settings: settings) { server in
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let configuration = MockupClient.Configuration(
          metadata: ["traceparent": "00-\(trace)-00f067aa0ba902b7-01"])
        try await MockupClient.withConnection(
          to: .unixSocket(path: server.socket), configuration: configuration
        ) { client in
          for _ in 0..<3 { _ = try await client.credits.reserve(for: user, credits: 1) }
        }
        let metrics = try await HTTP.get("/metrics", at: server.socket)
        let method = #"method="mockups.v1.CreditService/ReserveCredits""#
        #expect(metrics.contains("ttrpc_server_calls_total{code=\"OK\",\(method)} 3\n"))
        #expect(metrics.contains("ttrpc_server_call_duration_seconds_count{\(method)} 3\n"))
        #expect(metrics.contains("\nprocess_open_fds "))

        let errors = try await server.process.waitForErrors {
          $0.split(separator: "\n").count { $0.contains("ReserveCredits") } == 3
        }
        let calls = errors.split(separator: "\n").filter { $0.contains("ReserveCredits") }
        for call in calls {
          #expect(call.contains(#""status":"OK""#))
          #expect(call.contains(#""trace_id":"\#(trace)""#))
        }
      }
    }
  }
}
