// The load generator is the same for both sides of each comparison.
extension Scenario {
  private static let health = "gRPC, health check, 64 bytes"
  private static let reserve = "gRPC, reserve, 1000 users, durable"
  private static let peer = "gRPC's Go server"

  static let manyHealthChecksOverGRPC = Scenario(work: health, at: "4 × 16") { stage in
    let (ours, theirs) = try turns(
      stage, peer: "grpc-peer", connections: 4, inFlight: 16, LoadGenerator.grpc)
    return Row(
      work: health, at: "4 × 16", against: peer,
      measurements: [
        Measurement(
          "× the calls", ours.map(\.rate).median / theirs.map(\.rate).median, .atLeast, 1.5),
        Measurement(
          "× the CPU per call", ours.map(\.cpu).median / theirs.map(\.cpu).median, .atMost, 0.7),
      ], details: [line("mockupd, two event loops", ours), line("Go", theirs)])
  }

  static let oneHealthCheckOverGRPC = Scenario(work: health, at: "1 × 1") { stage in
    let (ours, theirs) = try turns(
      stage, peer: "grpc-peer", connections: 1, inFlight: 1, LoadGenerator.grpc)
    return Row(
      work: health, at: "1 × 1", against: peer,
      measurements: [
        Measurement("× the p50", ours.map(\.p50).median / theirs.map(\.p50).median, .atMost, 0.6)
      ], details: [line("mockupd", ours), line("Go", theirs)])
  }

  static let reservationsOverGRPC = Scenario(work: reserve, at: "16 × 16") { stage in
    var (grpc, ttrpc): ([LoadResult], [LoadResult]) = ([], [])
    for _ in 0..<stage.rounds {
      grpc.append(try stage.reserve("reserve", LoadGenerator.grpc))
      ttrpc.append(try stage.reserve())
    }
    return Row(
      work: reserve, at: "16 × 16", against: "ttrpc",
      measurements: [
        Measurement(
          "× the calls", grpc.map(\.rate).median / ttrpc.map(\.rate).median, .atLeast, 0.8)
      ], details: [line("gRPC", grpc), line("ttrpc", ttrpc)])
  }
}
