internal import Foundation

/// The results of a run of the load generator.
struct LoadResult: Decodable {
  let calls: Int
  let errors: Int
  let refused: Int?
  let unanswered: Int?
  let callsPerSecond: Double?
  let latencyMicroseconds: [String: Double]?
  let refusedLatencyMicroseconds: [String: Double]?
  let serverCpuMicrosecondsPerCall: Double?
  let clientCpuMicrosecondsPerCall: Double?
  let serverRssKib: Int?
  let serverPeakRssKib: Int?
  let messages: [String]?

  var rate: Double { callsPerSecond ?? 0 }
  var p50: Double { latencyMicroseconds?["p50"] ?? .infinity }
  var p99: Double { latencyMicroseconds?["p99"] ?? .infinity }
  var cpu: Double { serverCpuMicrosecondsPerCall ?? .infinity }
  var clientCPU: Double { clientCpuMicrosecondsPerCall ?? .infinity }
}

/// The results of a run of the load generator with idle connections.
struct IdleResult: Decodable {
  let rssBeforeKib: Int
  let rssAfterKib: Int
}

/// The load generator, as a program.
struct LoadGenerator {
  /// The arguments for calls over gRPC.
  static let grpc = ["--protocol", "grpc"]

  let path: String

  func run(
    _ work: String, _ server: Program, socket: String, connections: Int, inFlight: Int,
    seconds: Double, warmup: Double = 1, _ more: [String] = []
  ) throws -> LoadResult {
    let result: LoadResult = try run(
      [
        "--work", work, "--socket", socket, "--connections", "\(connections)", "--in-flight",
        "\(inFlight)", "--seconds", "\(seconds)", "--warmup", "\(warmup)", "--server-pid",
        "\(server.processID)",
      ] + more)
    guard result.errors == 0, result.unanswered ?? 0 == 0 else {
      throw BenchError("\(work): \(result.errors) calls failed: \(result.messages ?? [])")
    }
    return result
  }

  func idle(_ server: Program, socket: String, connections: Int) throws -> IdleResult {
    try run([
      "--work", "idle", "--socket", socket, "--connections", "\(connections)", "--seconds", "2",
      "--server-pid", "\(server.processID)",
    ])
  }

  private func run<Result: Decodable>(_ arguments: [String]) throws -> Result {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Result.self, from: try output(of: path, arguments))
  }
}
