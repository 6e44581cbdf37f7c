/// Everything that scenarios are played with.
struct Stage {
  let mockupd: String
  let peers: String
  let folder: String
  let load: LoadGenerator
  let postgres: PostgresServer
  let pgBench: PgBench
  let users: Int
  /// How often the sides of a comparison take turns: the machine's own speed drifts.
  let rounds: Int
  /// How long each of their turns is measured.
  let seconds: Double
  let isQuick: Bool

  var socket: String { folder + "/bench.sock" }
  var peerSocket: String { folder + "/peer.sock" }

  /// A mockupd on a database, ready.
  func server(on database: String) throws -> Program {
    try Program(
      mockupd,
      [
        "serve", "--socket", socket, "--database-url", postgres.url(database, user: "mockupd"),
      ], environment: ["MOCKUPD_LOG_LEVEL": "error"])
  }

  /// A peer on a database with its own schema, or, where it is asked to, with ours.
  func peer(_ name: String = "ttrpc-peer", on database: String, engine: Bool = false) throws
    -> Program
  {
    try Program(
      "\(peers)/\(name)",
      ["-socket", peerSocket, "-database", postgres.url(database)] + (engine ? ["-engine"] : []))
  }

  /// Reservations through a new mockupd on a new database, by 16 connections with 16 calls in flight.
  func reserve(_ work: String = "reserve", _ more: [String] = []) throws -> LoadResult {
    let server = try server(on: try postgres.fresh("bench_run"))
    defer { server.stop() }
    return try load.run(
      work, server, socket: socket, connections: 16, inFlight: 16, seconds: seconds, more)
  }

  /// What of a batch PostgreSQL does in a second by itself, on a new database, for two clients.
  func pgBench(_ script: String, batch: Int) throws -> Double {
    let transactions = try pgBench.rate(
      script, in: try postgres.fresh("bench_run"), clients: 2, seconds: Int(seconds),
      ["users": users, "batch": batch])
    return transactions * Double(batch)
  }
}

/// One row of the table, before it is measured.
struct Scenario: Sendable {
  let work: String
  let at: String
  var takesLong = false
  let measure: @Sendable (Stage) throws -> Row

  static var all: [Scenario] {
    [
      .manyHealthChecks, .oneHealthCheck, .reservations, .reservationsOfABatch, .oneReservation,
      .pairs, .oneUser, .performance, .memory, .start, .overload, .largeLedger,
    ]
  }
}
