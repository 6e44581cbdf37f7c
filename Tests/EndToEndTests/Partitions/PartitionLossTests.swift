import Foundation
import Glibc
import MockupClient
import TestSupport
import Testing

/// The loss and the move of a partition under load, while the users of another one are served.
@Suite(.timeLimit(.minutes(20))) struct PartitionLossTests {
  /// Runs a closure while the users of both partitions make calls; then checks all answers.
  ///
  /// - Parameter body: Receives the loads of the partition that stays, and of the one that is lost.
  /// - Returns: The server's log.
  private func withLoad(
    _ body: (ArticlePartitions, RunningServer, PartitionLoad, PartitionLoad) async throws -> Void
  ) async throws -> String {
    var log = ""
    try await ArticlePartitions.with { partitions in
      var users: [[UUID]] = [[], []]
      for number in [0, 0, 1, 1] {
        users[number].append(try await partitions.makeUser(in: number))
      }
      let server = try await RunningServer.start(
        on: partitions.service, settings: ["MOCKUPD_LOG_LEVEL": "notice"],
        folder: partitions.folder)
      let loads = users.map { PartitionLoad(users: $0, socket: server.socket) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for load in loads { group.addTask { try await load.run() } }
        let result: Result<Void, any Error>
        do {
          for load in loads { try await load.waitForAnswers(100) }
          try await body(partitions, server, loads[0], loads[1])
          result = .success(())
        } catch {
          result = .failure(error)
        }
        for load in loads { load.stop() }
        if case .failure = result {
          // The calls that wait for an answer fail.
          _ = await server.stop(by: SIGKILL)
          group.cancelAll()
        }
        try result.get()
        try await group.waitForAll()
      }
      #expect(loads[0].failures == [])
      #expect(!loads[1].failures.isEmpty)
      print("\(loads.map(\.answers)) answers, \(loads[1].failures.count) calls repeated")
      for load in loads { try await load.expectSameAnswers() }
      #expect(
        try await partitions.run("mockupctl ledger verify", socket: server.socket)
          == "users_verified  4\n")
      let ending = await server.stop()
      #expect(ending.exitCode == 0, "\(ending)")
      #expect(!ending.errors.contains("incident"), "\(ending)")
      log = ending.errors
    }
    return log
  }

  @Test func `the kill of a partition's PostgreSQL concerns only its users`() async throws {
    let log = try await withLoad { partitions, server, staying, lost in
      try await server.metrics(having: [#"mockupd_partition_up{partition="1"} 1"#])
      try await partitions.servers[1].kill()
      try await eventually("a call of the lost partition fails") { !lost.failures.isEmpty }
      try await server.metrics(having: [
        #"mockupd_partition_up{partition="0"} 1"#, #"mockupd_partition_up{partition="1"} 0"#,
      ])
      try await staying.waitForAnswers(100)
      try await partitions.servers[1].start()
      try await lost.waitForAnswers(100)
      try await staying.waitForAnswers(50)
      try await server.metrics(having: [#"mockupd_partition_up{partition="1"} 1"#])
    }
    #expect(log.contains("partition does not complete writes partition=1 "))
    #expect(log.contains("partition completes writes again partition=1"))
  }

  @Test func `the article's commands move a partition and lose nothing`() async throws {
    let commands = try PartitionsArticle.commands(in: "Move a partition")
    #expect(commands.count == 5, "\(commands)")
    try await PrivatePostgres.with(isMigrated: false) { new in
      _ = try await withLoad { partitions, server, staying, moved in
        let old = partitions.servers[1]
        try await partitions.run(commands[0], on: old, new: new)
        try await partitions.run(commands[1], on: old)
        try await eventually("a change of the moved partition fails") { !moved.failures.isEmpty }
        try await server.metrics(having: [#"mockupd_partition_up{partition="1"} 0"#])
        // Its users can still read.
        let budget = try await MockupClient.withConnection(
          to: .unixSocket(path: server.socket)
        ) { client in try await client.credits.usage(of: moved.users[0]).annualBudget }
        #expect(budget == 1_000_000)
        try await staying.waitForAnswers(50)

        try await partitions.run(commands[2], on: old, new: new)
        try partitions.writeFile([partitions.servers[0].host, new.host])
        try await partitions.run(commands[4])
        try await moved.waitForAnswers(100)
        try await staying.waitForAnswers(50)
        try await server.metrics(having: [#"mockupd_partition_up{partition="1"} 1"#])
        // Nothing refers to the old database any more.
        try await partitions.run("dropdb --force part1", on: old)
        try await moved.waitForAnswers(50)
      }
    }
  }
}
