import Foundation
import Glibc
import MockupClient
import TestSupport
import Testing

/// Alerts are written and delivered exactly once, under load and when the server is killed.
@Suite struct AlertLoadTests {
  private static let connections = 16
  private static let callsAtATime = 16
  private static let budget = 3000

  /// Reserves single credits on 16 connections, 16 at a time, until the user has none left.
  ///
  /// A call whose response is lost is made again with the same id.
  private static func spend(_ user: UUID, at socket: String) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<connections {
        group.addTask {
          var configuration = MockupClient.Configuration(timeout: .seconds(300))
          configuration.waitsForReady = true
          configuration.retry.attempts = 1000
          try await MockupClient.withConnection(
            to: .unixSocket(path: socket), configuration: configuration
          ) { client in
            try await withThrowingTaskGroup(of: Void.self) { calls in
              for _ in 0..<callsAtATime {
                calls.addTask {
                  var isAdmitted = true
                  while isAdmitted {
                    isAdmitted = try await client.credits.reserve(
                      for: user, credits: 1, id: UUID(), timeToLive: .seconds(86_400)
                    ).success
                  }
                }
              }
              try await calls.waitForAll()
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Returns the alerts that a watch delivers until it has those of all thresholds of the year.
  private static func watch(_ user: UUID, at socket: String) async throws -> [Alert] {
    var configuration = MockupClient.Configuration()
    configuration.waitsForReady = true
    return try await MockupClient.withConnection(
      to: .unixSocket(path: socket), configuration: configuration
    ) { client in
      var alerts: [Alert] = []
      let beginning = Data("alertWatch//0".utf8).base64EncodedString()
      for try await event in client.admin.watchAlerts(from: beginning) {
        guard let alert = event.alert else { continue }
        alerts.append(alert)
        if alert.threshold == 100, alert.month == 0 { break }
      }
      return alerts
    }
  }

  @Test(.timeLimit(.minutes(20)), arguments: [0, 4])
  func `each threshold has one alert under 16 times 16 calls and kills of the server`(
    kills: Int
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(
        annualBudget: Self.budget, monthlySoftLimit: 1_000_000)
      try await withTemporaryFolder { folder in
        var server = try await RunningServer.start(on: database.service, folder: folder)
        let socket = server.socket
        async let watched = Self.watch(user, at: socket)
        async let spent: Void = Self.spend(user, at: socket)
        for kill in 0..<kills {
          // Each kill is near a threshold.
          let held = Self.budget * [50, 80, 90, 100][kill] / 100 - 60
          try await eventually("\(held) credits are held") {
            try await database.numbers(
              "SELECT coalesce(max(held), 0) FROM mockupd.credit_counters")[0] >= Int64(held)
          }
          _ = await server.stop(by: SIGKILL)
          server = try await RunningServer.start(on: database.service, folder: folder)
        }
        try await spent
        let alerts = try await watched
        #expect(alerts.map(\.threshold) == [50, 80, 90, 100])
        #expect(alerts.map(\.alertID) == [1, 2, 3, 4])
        #expect(alerts.allSatisfy { $0.userID == user.wireText })
        for alert in alerts {
          #expect(alert.credits * 100 >= Int64(alert.threshold) * Int64(alert.limit))
        }
        #expect(await server.stop().exitCode == 0)
      }
      #expect(try await database.numbers("SELECT count(*) FROM mockupd.alerts") == [4])
      #expect(try await database.discrepancies().isEmpty)
    }
  }
}
