internal import Glibc

extension Scenario {
  static let memory = Scenario(work: "memory", at: "idle; per idle connection, of 1000") { stage in
    let server = try stage.server(on: try stage.postgres.fresh("bench_run"))
    defer { server.stop() }
    // The server releases the memory of its start after a second. It has served no calls yet.
    try pause(seconds: 2)
    let idle = server.residentKibibytes
    let connections = 1000
    let result = try stage.load.idle(server, socket: stage.socket, connections: connections)
    return Row(
      work: "memory", at: "idle; then per idle connection, of 1000", against: "",
      measurements: [
        Measurement("MiB resident, idle", Double(idle) / 1024, .atMost, 30),
        Measurement(
          "KiB for each connection",
          Double(result.rssAfterKib - result.rssBeforeKib) / Double(connections), .atMost, 24),
      ],
      details: [
        "resident: \(idle) KiB idle, \(result.rssBeforeKib) after a call, "
          + "\(result.rssAfterKib) with \(connections) connections"
      ])
  }

  static let start = Scenario(work: "start", at: "a migrated database") { stage in
    let database = try stage.postgres.fresh("bench_run")
    var times: [Double] = []
    for _ in 0..<7 {
      let server = try stage.server(on: database)
      times.append(server.startTime / .milliseconds(1))
      server.stop()
    }
    return Row(
      work: "start, on a migrated database", at: "7 times", against: "",
      measurements: [Measurement("ms until it is ready, median", times.median, .atMost, 150)],
      details: ["slowest \((times.max() ?? 0).short) ms"])
  }

  /// An open loop at four times the peak, for a minute.
  static let overload = Scenario(work: "overload", at: "4 times the peak, open loop") { stage in
    let seconds = stage.isQuick ? 6.0 : 60
    // Measures the peak for as long as the overload, and on a new database, too: the tables grow by
    // millions of rows.
    let peakServer = try stage.server(on: try stage.postgres.fresh("bench_run"))
    let peak = try stage.load.run(
      "reserve", peakServer, socket: stage.socket, connections: 16, inFlight: 16, seconds: seconds
    ).rate
    peakServer.stop()
    let server = try stage.server(on: try stage.postgres.fresh("bench_run"))
    defer { server.stop() }
    func run(seconds: Double) throws -> LoadResult {
      try stage.load.run(
        "reserve", server, socket: stage.socket, connections: 16, inFlight: 900,
        seconds: seconds, ["--rate", "\(peak * 4)"])
    }
    let early = try run(seconds: seconds / 6)
    let result = try run(seconds: seconds)
    let refusals = result.refusedLatencyMicroseconds ?? [:]
    return Row(
      work: "overload: 4 times the peak, open loop", at: "\(Int(seconds)) s",
      against: "the peak at 16 × 16 for the same time",
      measurements: [
        Measurement("× served", result.rate / peak, .atLeast, 0.9),
        Measurement(
          "× the memory after a sixth of the time",
          Double(result.serverRssKib ?? 0) / Double(max(early.serverRssKib ?? 1, 1)), .atMost, 1.1),
      ],
      details: [
        "peak \(peak.short)/s; served \(result.rate.short)/s, "
          + "p99 \((result.p99 / 1000).short) ms after it was due",
        "refused \((Double(result.refused ?? 0) / seconds).short)/s with RESOURCE_EXHAUSTED, "
          + "p50 \(((refusals["p50"] ?? .nan) / 1000).short) ms, "
          + "p99 \(((refusals["p99"] ?? .nan) / 1000).short) ms after it was due",
        "resident \(result.serverRssKib ?? 0) KiB, peak \(result.serverPeakRssKib ?? 0) KiB",
      ])
  }

  private static func pause(seconds: UInt32) throws { sleep(seconds) }
}
