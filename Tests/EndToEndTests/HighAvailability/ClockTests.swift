import Foundation
import MockupClient
import Postgres
import TestSupport
import Testing

/// Servers whose hosts have different clocks.
@Suite struct ClockTests {
  /// Less than the difference of the clocks, and more than the test takes.
  private static let timeToLive: Duration = .seconds(3000)

  @Test(arguments: ["+1h", "-1h"])
  func `no hold and no lease ends early because a host's clock differs`(
    offset: String
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 100)
      let asset = UUID()
      let start = try await database.texts("SELECT now()::text")[0]
      try await database.owner.run(
        "INSERT INTO public.assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      try await database.withServer { right in
        try await Self.withServer(on: database.service, clock: offset) { wrong in
          try await MockupClient.withConnection(to: .unixSocket(path: right.socket)) { client in
            try await MockupClient.withConnection(to: .unixSocket(path: wrong.socket)) { other in
              // Each server makes a hold and a lease, and the other one must leave it alone.
              for (mine, theirs) in [(client, other), (other, client)] {
                let id = UUID()
                let reserved = try await mine.credits.reserve(
                  for: user, credits: 10, id: id, timeToLive: Self.timeToLive)
                #expect(reserved.success)
                let seen = try await theirs.credits.reservation(id, of: user)
                #expect(seen.state == .held)
                #expect(seen == reserved.reservation)
                // It expires what is due before it decides.
                let next = try await theirs.credits.reserve(for: user, credits: 1)
                #expect(next.remaining == reserved.remaining - 1)

                _ = try await mine.mockups.generate(
                  for: user, assets: [asset], scenes: ["bedroom"])
                let claimed = try await mine.mockups.claim(
                  worker: "mine", count: 10, lease: Self.timeToLive)
                #expect(claimed.count == 1)
                #expect(try await theirs.mockups.claim(worker: "theirs", count: 10).isEmpty)
              }
              for server in [right, wrong] {
                let swept = try await Self.sweeps(server)
                try await eventually("both servers have swept") {
                  try await Self.sweeps(server) > swept
                }
              }
            }
          }
        }
      }
      let expired = try await database.numbers(
        "SELECT count(*) FROM mockupd.reservations WHERE state IN ('expired', 'unresolved')")
      #expect(expired == [0])
      let leases = try await database.numbers(
        "SELECT count(*) FROM mockupd.mockup_jobs WHERE state = 'leased' AND attempt = 1")
      #expect(leases == [2])
      // The times in the rows are the database's.
      let strange = try await database.numbers(
        """
        SELECT count(*) FROM mockupd.reservations
        WHERE created_at NOT BETWEEN '\(start)' AND now()
        """)
      #expect(strange == [0])
      #expect(try await database.discrepancies().isEmpty)
    }
  }

  /// Runs a closure with a server whose clock differs from the machine's.
  private static func withServer(
    on database: PostgresConfiguration, clock offset: String,
    _ body: (RunningServer) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      var settings = try await OtherClock.environment(offset: offset, folder: folder)
      settings["MOCKUPD_SWEEPER_INTERVAL_SECONDS"] = "1"
      // A server with an inherited socket is started by a shell. The library changes the
      // environment of the first program that loads it, and Swift would then find no arguments.
      let socket = "\(folder)/socket"
      let server = try await RunningServer.start(
        on: database, socket: socket, inheriting: RawListener(path: socket), settings: settings,
        folder: folder)
      try await body(server)
      let ending = await server.stop()
      #expect(ending.exitCode == 0, "\(ending)")
    }
  }

  /// Returns the number of sweeps that a server has completed.
  private static func sweeps(_ server: RunningServer) async throws -> Int {
    let text = try await HTTP.get("/metrics", at: server.socket)
    return text.matches(of: /mockupd_sweep_duration_seconds_count\{[^}]*\} (\d+)/)
      .compactMap { Int($0.1) }.reduce(0, +)
  }
}
