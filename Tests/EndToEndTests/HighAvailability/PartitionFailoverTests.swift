import Foundation
import MockupClient
import Postgres
import TestSupport
import Testing

/// The loss of a partition's primary under load, with a synchronous standby that is promoted.
@Suite(.timeLimit(.minutes(15))) struct PartitionFailoverTests {
  @Test func `a partition continues on its standby and loses no acknowledged call`() async throws {
    try await PrivatePostgres.with { other in
      try await PrivatePostgres.with { primary in
        try await primary.withSynchronousStandby { standby in
          // The standby is first, so the proxy has to leave it out.
          var both = PostgresConfiguration(
            url: "postgresql:///postgres?host=\(standby.host),\(primary.host)&user=postgres",
            applicationName: "test")
          both.targetSession = .readWrite
          let proxy = try await other.makeDatabase("proxy")
          try await proxy.makeProxy(over: [other.database, both])
          let users = [UUID.ofPartition(0), UUID.ofPartition(1)]
          try await other.makeUser(users[0], annualBudget: 3000)
          try await primary.makeUser(users[1], annualBudget: 3000)
          try await withTemporaryFolder { folder in
            let server = try await RunningServer.start(on: proxy, folder: folder)
            let loads = users.map { FailoverLoad(user: $0, sockets: [server.socket]) }
            let running = loads.map { load in Task { try await load.run() } }
            func expectProgress(_ what: String) async throws {
              let before = loads.map(\.count)
              try await eventually("calls are acknowledged \(what)") {
                zip(loads, before).allSatisfy { $0.count >= $1 + 200 }
              }
            }
            try await expectProgress("by both primaries")
            try await primary.kill()
            try await standby.promote()
            try await expectProgress("by the standby")
            for load in loads { load.stop() }
            for load in running { try await load.value }
            print(
              "partition failover: longest gap \(loads[1].longestGap), other partition "
                + "\(loads[0].longestGap), \(loads.map(\.retries)) retries")
            for load in loads { try await load.expectSameAnswers(from: server.socket) }
            #expect(try await other.discrepancies().isEmpty)
            #expect(try await standby.discrepancies().isEmpty)
            let ending = await server.stop()
            #expect(ending.exitCode == 0, "\(ending)")
            #expect(!ending.errors.contains("incident"), "\(ending)")
          }
        }
      }
    }
  }
}
