import Foundation
import MockupClient
import TestSupport
import Testing

/// The metrics of credits, batches and changes on `/metrics`.
@Suite struct CreditMetricsTests {
  private static let settings = ["MOCKUPD_METRICS_INTERVAL_SECONDS": "1"]

  @Test func `the credits of all users are read from the database`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10, monthlySoftLimit: 4)
      try await database.withServer(settings: Self.settings) { server in
        try await server.metrics(having: ["mockupd_users_active 0"])
        let held = UUID().uuidString
        for arguments in [
          ["reserve", "\(user)", "6", "--id", held], ["dispatch", "\(user)", held],
          ["commit", "\(user)", held, "--credits", "4"], ["reserve", "\(user)", "6"],
        ] {
          let ending = try await Program.mockupctl.run(
            arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket])
          #expect(ending.exitCode == 0, "\(ending)")
        }
        let text = try await server.metrics(
          having: [
            "mockupd_users_active 1", "mockupd_credits_budget 10", "mockupd_credits_used 4",
            "mockupd_credits_held 6", "mockupd_users_above_soft_limit 1",
            "mockupd_users_exhausted 1", "mockupd_reservations_open 1",
            "mockupd_reservations_unresolved 0",
            "mockupd_reservations_oldest_unresolved_age_seconds 0", "mockupd_mockups_pending 0",
            "mockupd_mockups_leased 0",
            #"mockupd_changes_total{change="reserve",result="made"} 2"#,
            #"mockupd_changes_total{change="commit",result="made"} 1"#,
            #"mockupd_changes_total{change="refund",result="made"} 0"#,
            #"mockupd_batch_changes_count{queue="credits"} 4"#,
            #"mockupd_batch_changes_sum{queue="credits"} 4"#,
            #"mockupd_batch_wait_seconds_count{queue="credits"} 4"#,
            #"mockupd_batch_write_seconds_count{queue="credits"} 4"#,
            #"mockupd_changes_waiting{partition="0",queue="credits"} 0"#,
            #"mockupd_changes_waiting{partition="0",queue="mockups"} 0"#,
            #"mockupd_changes_waiting{partition="0",queue="performance"} 0"#,
            "mockupd_changes_waiting_limit 4096",
            "mockupd_database_up 1",
          ])
        #expect(text.contains("\nmockupd_build_info{version=\""))
        // No metric may name a user.
        #expect(!text.lowercased().contains(user.uuidString.lowercased()))

        // Refusals and replays have results of their own.
        _ = try await Program.mockupctl.run(
          ["reserve", "\(user)", "1"], environment: ["MOCKUPD_SOCKET_PATH": server.socket])
        _ = try await Program.mockupctl.run(
          ["commit", "\(user)", held, "--credits", "4"],
          environment: ["MOCKUPD_SOCKET_PATH": server.socket])
        try await server.metrics(
          having: [
            #"mockupd_changes_total{change="reserve",result="refused"} 1"#,
            #"mockupd_changes_total{change="commit",result="replayed"} 1"#,
          ])
      }
    }
  }

  @Test func `the age of a stuck reservation is that since its expiry`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      try await database.withServer(settings: Self.settings) { server in
        let id = UUID().uuidString
        for arguments in [
          ["reserve", "\(user)", "1", "--id", id], ["dispatch", "\(user)", id],
        ] {
          _ = try await Program.mockupctl.run(
            arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket])
        }
        // A minute ago.
        try await database.expireReservations()
        let text = try await server.metrics(having: ["mockupd_reservations_unresolved 1"])
        let name = "mockupd_reservations_oldest_unresolved_age_seconds "
        let age = text.split(separator: "\n").first { $0.hasPrefix(name) }
          .flatMap { Double($0.dropFirst(name.count)) }
        #expect(try #require(age) >= 60)
      }
    }
  }

  @Test func `without an interval the totals are not read`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer(settings: ["MOCKUPD_METRICS_INTERVAL_SECONDS": "0"]) { server in
        let text = try await server.metrics(having: ["mockupd_database_up 1"])
        #expect(!text.contains("mockupd_credits_used"))
      }
    }
  }

  @Test func `a database that is down is reported`() async throws {
    try await PrivatePostgres.with { postgres in
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(
          on: postgres.database, settings: Self.settings, folder: folder)
        try await server.metrics(having: ["mockupd_database_up 1"])
        try await postgres.stop()
        try await server.metrics(having: ["mockupd_database_up 0"])
        try await postgres.start()
        try await server.metrics(having: ["mockupd_database_up 1"])
        #expect(await server.stop().exitCode == 0)
      }
    }
  }
}
