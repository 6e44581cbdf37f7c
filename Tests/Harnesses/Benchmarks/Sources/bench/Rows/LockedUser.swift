internal import Foundation

extension Scenario {
  /// The calls of 12 users beside those of a 13th, whom another session has locked.
  ///
  /// Both sides have the session: PostgreSQL cannot remove old versions of the other users' rows
  /// while its transaction is open, which slows their calls, too.
  static let lockedUser = Scenario(work: "reserve, beside a locked user", at: "12 users") { stage in
    func measure(withCalls: Bool) throws -> LoadResult {
      let locked = 999
      let database = try stage.postgres.fresh("bench_run")
      let server = try stage.server(on: database)
      defer { server.stop() }
      let session = try stage.postgres.lock(user: locked, in: database)
      defer { session.stop() }
      let waiting =
        withCalls
        ? try stage.load.start(
          "reserve", socket: stage.socket, inFlight: 4,
          ["--users", "1", "--first-user", "\(locked)"]) : nil
      defer { waiting?.terminate() }
      return try stage.load.run(
        "reserve", server, socket: stage.socket, connections: 1, inFlight: 12,
        seconds: stage.seconds, ["--users", "12"])
    }
    var (without, with): ([LoadResult], [LoadResult]) = ([], [])
    for _ in 0..<stage.rounds {
      without.append(try measure(withCalls: false))
      with.append(try measure(withCalls: true))
    }
    return Row(
      work: "reserve, beside a locked user", at: "12 users",
      against: "without calls of the locked user",
      measurements: [
        Measurement("× the p99", with.map(\.p99).median / without.map(\.p99).median, .atMost, 2)
      ], details: [line("without its calls", without), line("with its calls", with)])
  }
}

extension PostgresServer {
  /// Locks the counters of a user in an open transaction, which ends with the database.
  fileprivate func lock(user: Int, in database: String) throws -> Program {
    let id = "'00000000-0000-4000-8000-\(String(format: "%012x", user))'"
    try run(
      """
      INSERT INTO mockupd.credit_counters (user_id, year)
      VALUES (\(id), extract(year FROM now() AT TIME ZONE 'UTC'))
      """, in: database)
    let statements = [
      "BEGIN",
      "SELECT 'locked' FROM mockupd.credit_counters WHERE user_id = \(id) FOR UPDATE",
      "SELECT pg_sleep(3600)",
    ]
    return try Program(
      "/usr/bin/psql",
      ["-X", "-q", "-A", "-t", "-d", url(database)] + statements.flatMap { ["-c", $0] })
  }
}

extension LoadGenerator {
  /// Starts calls whose results are not of interest.
  fileprivate func start(
    _ work: String, socket: String, inFlight: Int, _ more: [String]
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments =
      ["--work", work, "--socket", socket, "--in-flight", "\(inFlight)", "--seconds", "3600"] + more
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    return process
  }
}
