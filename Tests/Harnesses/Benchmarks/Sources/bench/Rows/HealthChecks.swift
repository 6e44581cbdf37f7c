extension Scenario {
  private static let work = "health check, 64 bytes"
  private static let peer = "containerd's Go server"

  static let manyHealthChecks = Scenario(work: work, at: "4 × 16") { stage in
    let (ours, theirs) = try turns(
      stage, peer: "ttrpc-peer", connections: 4, inFlight: 16)
    return Row(
      work: work, at: "4 × 16", against: peer,
      measurements: [
        Measurement(
          "× the calls", ours.map(\.rate).median / theirs.map(\.rate).median, .atLeast, 5),
        Measurement(
          "× the CPU per call", ours.map(\.cpu).median / theirs.map(\.cpu).median, .atMost, 0.2),
      ], details: [line("mockupd, two event loops", ours), line("Go", theirs)])
  }

  static let oneHealthCheck = Scenario(work: work, at: "1 × 1") { stage in
    let (ours, theirs) = try turns(stage, peer: "ttrpc-peer", connections: 1, inFlight: 1)
    return Row(
      work: work, at: "1 × 1", against: peer,
      measurements: [
        Measurement("× the p50", ours.map(\.p50).median / theirs.map(\.p50).median, .atMost, 0.6)
      ], details: [line("mockupd", ours), line("Go", theirs)])
  }

  /// Measures health checks of mockupd and of a peer, alternating between them.
  ///
  /// With several connections, mockupd has two event loops, since the peer uses all processors.
  static func turns(
    _ stage: Stage, peer: String, connections: Int, inFlight: Int, _ more: [String] = []
  ) throws -> (ours: [LoadResult], theirs: [LoadResult]) {
    let url = stage.postgres.url(try stage.postgres.fresh("bench_run"), user: "mockupd")
    let server = try stage.server(
      at: url, connections > 1 ? ["MOCKUPD_SERVER_EVENT_LOOPS": "2"] : [:])
    let peer = try stage.peer(
      peer, on: try stage.postgres.fresh("bench_run_peer", from: "bench_peer"))
    defer {
      server.stop()
      peer.stop()
    }
    var (ours, theirs): ([LoadResult], [LoadResult]) = ([], [])
    for _ in 0..<max(stage.rounds, 2) {
      ours.append(
        try stage.load.run(
          "health", server, socket: stage.socket, connections: connections, inFlight: inFlight,
          seconds: min(stage.seconds, 5), more))
      theirs.append(
        try stage.load.run(
          "health", peer, socket: stage.peerSocket, connections: connections, inFlight: inFlight,
          seconds: min(stage.seconds, 5), more))
    }
    return (ours, theirs)
  }

  /// Describes the medians of one side for people.
  static func line(_ name: String, _ results: [LoadResult]) -> String {
    "\(name): \(results.map(\.rate).median.short)/s, p50 \(results.map(\.p50).median.short) µs, "
      + "p99 \(results.map(\.p99).median.short) µs, "
      + "\(results.map(\.cpu).median.short) µs of server CPU per call "
      + "(client: \(results.map(\.clientCPU).median.short)), "
      + "\(results.last?.serverRssKib ?? 0) KiB resident"
  }
}
