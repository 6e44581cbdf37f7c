internal import Foundation

/// Reservations through a proxy over partitions.
///
/// All partitions are databases of one PostgreSQL, and the proxy has a PostgreSQL of its own, so
/// that the CPU times of the two can be told apart.
extension Scenario {
  private static let work = "reserve, partitions"

  static let proxy = Scenario(work: work, at: "16 × 16, two partitions") { stage in
    var (direct, proxied): ([PartitionResult], [PartitionResult]) = ([], [])
    for _ in 0..<stage.rounds {
      direct.append(try stage.reserveDirectly())
      proxied.append(try stage.reserve(partitions: 2, inFlight: 16))
    }
    return Row(
      work: work, at: "16 × 16, two partitions", against: "one database without a proxy",
      measurements: [
        Measurement(
          "× the calls per CPU second of the partitions' PostgreSQL",
          direct.map(\.partitionCPU).median / proxied.map(\.partitionCPU).median, .atLeast, 0.9),
        Measurement(
          "µs of the proxy's CPU per call", proxied.map(\.proxyCPU).median, .atMost, 12),
      ], details: [line("direct", direct), line("proxy", proxied)])
  }

  /// Each partition has one shard with 128 calls in flight, so that batches have the same size.
  static let partitionCounts = Scenario(work: work, at: "1, 2 and 4 partitions") { stage in
    let counts = [1, 2, 4]
    var results = counts.map { _ in [PartitionResult]() }
    for _ in 0..<stage.rounds {
      for (index, count) in counts.enumerated() {
        results[index].append(try stage.reserve(partitions: count, inFlight: 8 * count))
      }
    }
    let costs = results.map { $0.map(\.partitionCPU).median }
    return Row(
      work: work, at: "1, 2 and 4 partitions", against: "one partition",
      measurements: zip(counts, costs).dropFirst().map { count, cost in
        Measurement("× the partitions' CPU per call, with \(count)", cost / costs[0], .atMost, 1.1)
      }, details: zip(counts, results).map { line("\($0)", $1) })
  }

  private static func line(_ name: String, _ results: [PartitionResult]) -> String {
    line(name, results.map(\.load))
      + "; CPU per call: PostgreSQL \(results.map(\.partitionCPU).median.short) µs, "
      + "proxy \(results.map(\.proxyCPU).median.short) µs"
  }
}

/// The result of reservations in partitions, or in one database.
private struct PartitionResult {
  let load: LoadResult
  /// The CPU time of the partitions' PostgreSQL, in µs per call.
  let partitionCPU: Double
  /// The CPU time of the proxy's PostgreSQL, in µs per call.
  let proxyCPU: Double
}

extension Stage {
  /// Measures reservations in one database, with two shards and a connection for writes for each.
  ///
  /// The other half of the connections is for reads.
  fileprivate func reserveDirectly() throws -> PartitionResult {
    let database = try postgres.fresh("bench_run")
    return try measure(
      at: postgres.url(database, user: "mockupd"), in: [database], shards: 2, poolSize: 4,
      inFlight: 16)
  }

  /// Measures reservations through a new proxy over new partitions, with a shard for each.
  fileprivate func reserve(partitions count: Int, inFlight: Int) throws -> PartitionResult {
    let partitions = try (0..<count).map { try postgres.fresh("bench_part\($0)") }
    let url = try makeProxy(over: partitions.map { postgres.url($0, user: "mockupd") })
    return try measure(
      at: url, in: partitions, shards: 1, poolSize: max(count, 2), inFlight: inFlight)
  }

  /// Makes the proxy database, and returns its URL for the server's login.
  private func makeProxy(over urls: [String]) throws -> String {
    let file = folder + "/partitions"
    try urls.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
    let script = folder + "/proxy.sql"
    try output(of: mockupd, ["partitions", file]).write(to: URL(fileURLWithPath: script))
    let database = "bench_proxy"
    try proxy.recreate(database)
    try proxy.run(path: script, in: database)
    try proxy.run(
      """
      DO $$ BEGIN
        IF to_regrole('mockupd') IS NULL THEN
          CREATE ROLE mockupd LOGIN IN ROLE mockupd_service;
        END IF;
      END $$
      """, in: database)
    return proxy.url(database, user: "mockupd")
  }

  private func measure(
    at url: String, in databases: [String], shards: Int, poolSize: Int, inFlight: Int
  ) throws -> PartitionResult {
    let server = try server(
      at: url,
      [
        "MOCKUPD_BATCHING_SHARDS": "\(shards)",
        "MOCKUPD_DATABASE_POOL_SIZE": "\(poolSize)",
      ])
    defer { server.stop() }
    let servers = [postgres, proxy]
    let before = try servers.map { try $0.cpuSeconds() }
    let result = try load.run(
      "reserve", server, socket: socket, connections: 16, inFlight: inFlight, seconds: seconds)
    let after = try servers.map { try $0.cpuSeconds() }
    // The warm-up's calls count, too.
    let calls = try databases.reduce(0) {
      $0 + (try postgres.number("SELECT count(*) FROM mockupd.reservations", in: $1))
    }
    let cost = zip(before, after).map { ($1 - $0) * 1e6 / Double(calls) }
    return PartitionResult(load: result, partitionCPU: cost[0], proxyCPU: cost[1])
  }
}
