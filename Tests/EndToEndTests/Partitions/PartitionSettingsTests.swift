import Foundation
import MockupClient
import Postgres
import TestSupport
import Testing

/// The settings of the proxy's sessions in the partitions.
@Suite struct PartitionSettingsTests {
  @Test func `a locked user of a partition delays only itself`() async throws {
    try await PartitionedDatabase.with { database in
      let partition = database.partitions[0]
      // The settings of the server, as mockupd partitions has them.
      let services = database.partitions.map { partition in
        var service = partition.service
        service.lockTimeout = .milliseconds(100)
        return service
      }
      try await database.makeProxy(over: services)
      let (locked, other) = (UUID.ofPartition(0), UUID.ofPartition(0))
      for user in [locked, other] { _ = try await partition.makeUser(user) }
      try await database.proxy.withServer { server in
        try await MockupClient.withConnection(
          to: .unixSocket(path: server.socket), configuration: .init(timeout: testTimeout)
        ) { client in
          #expect(try await client.credits.reserve(for: locked, credits: 1).success)
          let waiting = try await partition.whileCreditsAreLocked {
            let flag = Flag()
            let waiting = Task {
              _ = try await client.credits.reserve(for: locked, credits: 1)
              flag.set()
            }
            for _ in 0..<50 {
              let reserved = try await client.credits.reserve(for: other, credits: 1)
              #expect(reserved.success)
            }
            #expect(!flag.isSet)
            return waiting
          }
          // The call fails after 100 attempts, if the lock is held for that long.
          _ = await waiting.result
          #expect(try await client.credits.reserve(for: locked, credits: 1).success)
        }
      }
      #expect(try await database.discrepancies() == [])
    }
  }

  @Test func `the statements have the server's settings, unless a URL has its own`() async throws {
    try await PartitionedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let urls = database.partitions.map(\.service.url)
        // The second partition has two hosts, which are the same one here.
        let second = urls[1].replacing(
          /host=([^&]*)/, with: { "host=\($0.1),\($0.1)" })
        let list = "\(urls[0])\n\(second)&options=&keepalives_idle=99\n"
        try list.write(toFile: "\(folder)/urls", atomically: true, encoding: .utf8)
        try #"{"database": {"lockTimeoutMilliseconds": 250, "synchronousCommit": "local"}}"#
          .write(toFile: "\(folder)/settings", atomically: true, encoding: .utf8)
        let ending = try await Program.mockupd.run([
          "partitions", "--config", "\(folder)/settings", "\(folder)/urls",
        ])
        #expect(ending.exitCode == 0, "\(ending.errors)")
        let options = ending.output.split(separator: "\n").filter { $0.contains("SET p") }
        #expect(options.count == 2)
        for part in [
          "-c synchronous_commit=local -c statement_timeout=30000 -c lock_timeout=250",
          "application_name=''mockupd proxy''", "tcp_user_timeout=''10000''",
          "keepalives_idle=''4''",
        ] {
          #expect(options[0].contains(part), "\(options[0])")
        }
        #expect(!options[0].contains("target_session_attrs"))
        #expect(options[1].contains("target_session_attrs=''read-write''"))
        #expect(options[1].contains("options=''''"))
        #expect(options[1].contains("keepalives_idle=''99''"))
      }
    }
  }
}
