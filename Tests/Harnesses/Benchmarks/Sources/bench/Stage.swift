/// The programs, databases and settings with which scenarios are measured.
struct Stage {
  let mockupd: String
  let peers: String
  let folder: String
  let load: LoadGenerator
  let postgres: PostgresServer
  /// The PostgreSQL server of the proxy databases over partitions.
  let proxy: PostgresServer
  let pgBench: PgBench
  let users: Int
  /// The number of times that the sides of a comparison alternate, since the machine's speed
  /// drifts.
  let rounds: Int
  /// The seconds for which a side is measured in a round.
  let seconds: Double
  let isQuick: Bool

  var socket: String { folder + "/bench.sock" }
  var peerSocket: String { folder + "/peer.sock" }

  /// Starts mockupd on a database.
  func server(on database: String) throws -> Program {
    try server(at: postgres.url(database, user: "mockupd"))
  }

  /// Starts mockupd on the database of a URL, with more settings in its environment.
  func server(at url: String, _ settings: [String: String] = [:]) throws -> Program {
    try Program(
      mockupd, ["serve", "--socket", socket, "--database-url", url],
      environment: settings.merging(["MOCKUPD_LOG_LEVEL": "error"]) { $1 })
  }

  /// Starts a peer on a database with the peer's schema, or with mockupd's if `engine` is true.
  func peer(_ name: String = "ttrpc-peer", on database: String, engine: Bool = false) throws
    -> Program
  {
    try Program(
      "\(peers)/\(name)",
      ["-socket", peerSocket, "-database", postgres.url(database)] + (engine ? ["-engine"] : []))
  }

  /// Measures reservations of a new mockupd on a new database, with 16 calls in flight on each of
  /// 16 connections.
  func reserve(_ work: String = "reserve", _ more: [String] = []) throws -> LoadResult {
    let server = try server(on: try postgres.fresh("bench_run"))
    defer { server.stop() }
    return try load.run(
      work, server, socket: socket, connections: 16, inFlight: 16, seconds: seconds, more)
  }

  /// Measures the items per second of a batch statement on PostgreSQL alone, with two clients and a
  /// new database.
  func pgBench(_ script: String, batch: Int) throws -> Double {
    let transactions = try pgBench.rate(
      script, in: try postgres.fresh("bench_run"), clients: 2, seconds: Int(seconds),
      ["users": users, "batch": batch])
    return transactions * Double(batch)
  }
}

/// A row of the table and its measurement.
struct Scenario: Sendable {
  let work: String
  let at: String
  var takesLong = false
  let measure: @Sendable (Stage) throws -> Row

  static var all: [Scenario] {
    [
      .manyHealthChecks, .oneHealthCheck, .manyHealthChecksOverGRPC, .oneHealthCheckOverGRPC,
      .reservationsOverGRPC, .reservations, .reservationsOfABatch, .oneReservation,
      .pairs, .oneUser, .lockedUser, .proxy, .partitionCounts, .performance, .memory, .start,
      .overload, .largeLedger,
    ]
  }
}
