internal import Foundation

/// pgbench, which calls PostgreSQL without mockupd.
struct PgBench {
  let postgres: PostgresServer

  /// Measures the transactions per second.
  func rate(
    _ script: String, in database: String, clients: Int, seconds: Int,
    _ variables: [String: Int]
  ) throws -> Double {
    let text = String(
      decoding: try run(script, in: database, clients, seconds, variables), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("tps = ") }
    guard let rate = line?.split(separator: " ").dropFirst(2).first.flatMap({ Double($0) }) else {
      throw BenchError("pgbench printed no rate: \(text)")
    }
    return rate
  }

  /// Measures the latencies of consecutive transactions, in microseconds, ascending.
  func latencies(
    _ script: String, in database: String, seconds: Int, _ variables: [String: Int]
  ) throws -> [Double] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let prefix = folder.appending(path: "log").path
    _ = try run(
      script, in: database, 1, seconds, variables, ["--log", "--log-prefix=\(prefix)"])
    var latencies: [Double] = []
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let log = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
      // client, transaction, microseconds, …
      latencies += log.split(separator: "\n").compactMap { line in
        line.split(separator: " ").dropFirst(2).first.flatMap { Double($0) }
      }
    }
    // Drops the first tenth, in which plans are made and pages are read for the first time.
    return latencies.dropFirst(latencies.count / 10).sorted()
  }

  private func run(
    _ script: String, in database: String, _ clients: Int, _ seconds: Int,
    _ variables: [String: Int], _ more: [String] = []
  ) throws -> Data {
    try output(
      of: postgres.programs + "/pgbench",
      [
        "-n", "-M", "prepared", "-f",
        postgres.sources.appending(path: "PgBench/\(script)").path, "-c", "\(clients)", "-j",
        "\(clients)", "-T", "\(seconds)",
      ] + variables.flatMap { ["-D", "\($0.key)=\($0.value)"] } + more
        + [postgres.url(database)])
  }
}
