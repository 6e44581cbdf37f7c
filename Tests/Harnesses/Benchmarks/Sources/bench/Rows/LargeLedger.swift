extension Scenario {
  private static let entries = 5_000_000

  /// Reservations and usage of the user with the most entries, compared with an empty ledger.
  static let largeLedger = Scenario(
    work: "reserve and usage", at: "1 × 1, ledger of 5 000 000 rows", takesLong: true
  ) { stage in
    let large = try stage.postgres.fresh("bench_large")
    defer { try? stage.postgres.run("DROP DATABASE bench_large WITH (FORCE)", in: "postgres") }
    try stage.postgres.run(
      file: "SQL/large-ledger.sql", in: large,
      ["users": "\(stage.users)", "entries": "\(entries)"])
    try stage.postgres.run("CHECKPOINT", in: large)
    var latencies: [String: [Double]] = [:]
    for _ in 0..<3 {
      for (name, database) in [
        ("large", large), ("empty", try stage.postgres.fresh("bench_run")),
      ] {
        let server = try stage.server(on: database)
        defer { server.stop() }
        for work in ["reserve", "usage"] {
          latencies["\(work) \(name)", default: []].append(
            try stage.load.run(
              work, server, socket: stage.socket, connections: 1, inFlight: 1,
              seconds: stage.seconds / 2, ["--users", "1"]
            ).p50)
        }
      }
    }
    func ratio(_ work: String) -> Double {
      (latencies["\(work) large"] ?? []).median / (latencies["\(work) empty"] ?? []).median
    }
    return Row(
      work: "reserve and usage", at: "a ledger of 5 000 000 rows, one user with 100 000",
      against: "an empty ledger",
      measurements: [
        Measurement("× the time to reserve", ratio("reserve"), .atMost, 1.15),
        Measurement("× the time for one user's usage", ratio("usage"), .atMost, 1.15),
      ],
      details: latencies.sorted { $0.key < $1.key }.map {
        "\($0.key): p50 \($0.value.median.short) µs"
      })
  }
}
