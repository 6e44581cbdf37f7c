extension Scenario {
  private static let work = "reserve, 1000 users, durable"

  /// Reservations compared with services of one transaction per call, with their own schema and
  /// ours.
  static let reservations = Scenario(work: work, at: "16 × 16, one transaction per call") { stage in
    var sides: [(name: String, results: [LoadResult])] = [
      ("mockupd", []), ("Go on ttrpc, pgx, its own lean function", []),
      ("Go on ttrpc, pgx, our function", []),
    ]
    for _ in 0..<stage.rounds {
      sides[0].results.append(try stage.reserve())
      for (index, engine) in [(1, false), (2, true)] {
        let template = engine ? "bench_ours" : "bench_peer"
        let database = try stage.postgres.fresh("bench_run", from: template)
        let peer = try stage.peer(on: database, engine: engine)
        defer { peer.stop() }
        sides[index].results.append(
          try stage.load.run(
            "reserve", peer, socket: stage.peerSocket, connections: 16, inFlight: 16,
            seconds: stage.seconds))
      }
    }
    sides.append(("Go on gRPC, pgx, its own lean function", [try gRPC(stage)]))
    let (ours, lean, same) = (sides[0].results, sides[1].results, sides[2].results)
    return Row(
      work: work, at: "16 × 16", against: "Go services with pgx",
      measurements: [
        Measurement(
          "× the calls of one with our function (the same guarantees)",
          ours.map(\.rate).median / same.map(\.rate).median, .atLeast, 8),
        Measurement(
          "× its p99", ours.map(\.p99).median / same.map(\.p99).median, .atMost, 1 / 3),
        Measurement(
          "× the calls of one with a lean function of its own",
          ours.map(\.rate).median / lean.map(\.rate).median, .atLeast, 8),
        Measurement(
          "× its p99", ours.map(\.p99).median / lean.map(\.p99).median, .atMost, 1 / 3),
      ], details: sides.map { line($0.name, $0.results) })
  }

  /// Measures the lean service on gRPC once, for the details only.
  private static func gRPC(_ stage: Stage) throws -> LoadResult {
    let database = try stage.postgres.fresh("bench_run", from: "bench_peer")
    let peer = try stage.peer("grpc-peer", on: database)
    defer { peer.stop() }
    return try stage.load.run(
      "reserve", peer, socket: stage.peerSocket, connections: 16, inFlight: 16,
      seconds: stage.seconds, LoadGenerator.grpc)
  }

  static let reservationsOfABatch = Scenario(work: work, at: "16 × 16, pgbench") { stage in
    let batch = 512
    var (ours, postgresCPU, theirs): ([LoadResult], [Double], [Double]) = ([], [], [])
    for _ in 0..<stage.rounds {
      let run = try reserveWithPostgresCPU(stage)
      ours.append(run.result)
      postgresCPU.append(run.postgresCPU)
      theirs.append(try stage.pgBench("reserve-batch.sql", batch: batch))
    }
    return Row(
      work: work, at: "16 × 16",
      against: "pgbench, our batch statement, 512 at a time, two clients",
      measurements: [
        Measurement("× the calls", ours.map(\.rate).median / theirs.median, .atLeast, 0.6),
        Measurement(
          "× PostgreSQL's CPU per call, of the server's own",
          zip(ours, postgresCPU).map { $0.cpu / $1 }.median, .atMost, 0.3),
      ],
      details: [
        line("mockupd", ours), "PostgreSQL: \(postgresCPU.median.short) µs of CPU per call",
        "pgbench: \(theirs.median.short)/s",
      ])
  }

  /// Measures reservations, and PostgreSQL's CPU time for each, in microseconds.
  private static func reserveWithPostgresCPU(
    _ stage: Stage
  ) throws -> (result: LoadResult, postgresCPU: Double) {
    let database = try stage.postgres.fresh("bench_run")
    let server = try stage.server(on: database)
    defer { server.stop() }
    let before = try stage.postgres.cpuSeconds()
    let result = try stage.load.run(
      "reserve", server, socket: stage.socket, connections: 16, inFlight: 16,
      seconds: stage.seconds)
    let seconds = try stage.postgres.cpuSeconds() - before
    // The warm-up's calls count, too.
    let calls = try stage.postgres.number(
      "SELECT count(*) FROM mockupd.reservations", in: database)
    return (result, seconds * 1e6 / Double(calls))
  }

  static let oneReservation = Scenario(work: work, at: "1 × 1") { stage in
    var (ours, theirs): ([LoadResult], [Double]) = ([], [])
    for _ in 0..<max(stage.rounds, 2) {
      let server = try stage.server(on: try stage.postgres.fresh("bench_run"))
      defer { server.stop() }
      ours.append(
        try stage.load.run(
          "reserve", server, socket: stage.socket, connections: 1, inFlight: 1,
          seconds: stage.seconds / 2))
      server.stop()
      let latencies = try stage.pgBench.latencies(
        "reserve-one.sql", in: try stage.postgres.fresh("bench_run"),
        seconds: Int(stage.seconds / 2), ["users": stage.users])
      theirs.append(latencies.median)
    }
    return Row(
      work: work, at: "1 × 1", against: "pgbench, our single statement, one client",
      measurements: [
        Measurement("× the p50", ours.map(\.p50).median / theirs.median, .atMost, 1.25)
      ], details: [line("mockupd", ours), "pgbench: p50 \(theirs.median.short) µs"])
  }

  static let pairs = Scenario(work: "reserve, then commit", at: "16 × 16") { stage in
    // Of the 128 calls in flight for each of two shards, half are reservations and half commits.
    let (batch, aloneBatch) = (64, 128)
    var (pairs, alone): ([LoadResult], [LoadResult]) = ([], [])
    var (theirPairs, theirAlone): ([Double], [Double]) = ([], [])
    for _ in 0..<stage.rounds {
      pairs.append(try stage.reserve("pair"))
      alone.append(try stage.reserve())
      theirPairs.append(try stage.pgBench("pair-batch.sql", batch: batch))
      theirAlone.append(try stage.pgBench("reserve-batch.sql", batch: aloneBatch))
    }
    let theirRatio = theirPairs.median / theirAlone.median
    return Row(
      work: "reserve, then commit", at: "16 × 16", against: "reserve alone",
      measurements: [
        Measurement(
          "× as many pairs", pairs.map(\.rate).median / alone.map(\.rate).median, .atLeast, 0.45)
      ],
      details: [
        line("pairs", pairs), line("alone", alone),
        "pgbench, our statements, \(batch) and \(aloneBatch) at a time, two clients: "
          + "\(theirRatio.short) × (\(theirPairs.median.short)/s, \(theirAlone.median.short)/s)",
      ])
  }

  static let oneUser = Scenario(work: "reserve, one user only", at: "16 × 16") { stage in
    var (one, all): ([LoadResult], [LoadResult]) = ([], [])
    for _ in 0..<stage.rounds {
      one.append(try stage.reserve("reserve", ["--users", "1"]))
      all.append(try stage.reserve())
    }
    return Row(
      work: "reserve, one user only", at: "16 × 16", against: "1000 users",
      measurements: [
        Measurement("× the calls", one.map(\.rate).median / all.map(\.rate).median, .atLeast, 0.8)
      ], details: [line("one user", one), line("1000 users", all)])
  }
}
