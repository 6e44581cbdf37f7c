import Foundation
import MockupClient
import Postgres
import TestSupport
import Testing

/// The loss of the primary under load, with a synchronous standby that is promoted, and two servers
/// that name both hosts.
@Suite struct FailoverTests {
  /// The way in which the primary is lost.
  enum Loss: CaseIterable {
    /// Its processes are killed.
    case killed
    /// Its processes are suspended. They continue when the standby has been promoted.
    case suspended
  }

  @Test(arguments: Loss.allCases)
  func `no acknowledged call is lost with the primary`(loss: Loss) async throws {
    try await PrivatePostgres.with { primary in
      let user = UUID()
      // Some of the later calls exceed the budget and are refused.
      try await primary.makeUser(user, annualBudget: 3000)
      try await primary.withSynchronousStandby { standby in
        let both = PostgresConfiguration(
          url: "postgresql:///postgres?host=\(primary.host),\(standby.host)&user=postgres",
          applicationName: "test")
        try await withTemporaryFolder { folder in
          let settings = [
            "MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS": "2", "MOCKUPD_DATABASE_POOL_SIZE": "2",
          ]
          let servers = [
            try await RunningServer.start(
              on: both, socket: "\(folder)/1", settings: settings, folder: folder),
            try await RunningServer.start(
              on: both, socket: "\(folder)/2", settings: settings, folder: folder),
          ]
          let load = FailoverLoad(user: user, sockets: servers.map(\.socket))
          let running = Task { try await load.run() }
          try await eventually("calls are acknowledged") { load.count >= 500 }
          switch loss {
          case .killed: try await primary.kill()
          case .suspended: try primary.pause()
          }
          try await standby.promote()
          let before = load.count
          try await eventually("calls are acknowledged by the standby") {
            load.count >= before + 500
          }
          if loss == .suspended {
            // Its servers are gone, and nobody confirms what it commits.
            try primary.resume()
            let before = load.count
            try await eventually("calls are acknowledged") { load.count >= before + 200 }
          }
          load.stop()
          try await running.value
          print(
            "\(loss): \(load.count) calls acknowledged, longest gap \(load.longestGap),",
            "\(load.retries) retries")

          for server in servers {
            try await load.expectSameAnswers(from: server.socket)
          }
          #expect(try await standby.discrepancies().isEmpty)
          for server in servers {
            let ending = await server.stop()
            #expect(ending.exitCode == 0, "\(ending)")
            #expect(!ending.errors.contains("incident"), "\(ending)")
          }
        }
      }
    }
  }
}
