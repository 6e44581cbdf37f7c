internal import Foundation

extension Scenario {
  static let performance = Scenario(
    work: "performance entries, 1000 mockups, durable", at: "one stream, batches of 500"
  ) { stage in
    // ttrpc has no flow control, so the result is the highest rate at which the stream succeeds.
    var failures: [String] = []
    // Each is about a tenth lower than the one before.
    for pace in (0..<25).map({ Int(500_000 * pow(0.9, Double($0))) }) {
      let server = try stage.server(on: try stage.postgres.fresh("bench_run"))
      defer { server.stop() }
      do {
        let result = try stage.load.run(
          "performance", server, socket: stage.socket, connections: 1, inFlight: 1,
          seconds: stage.seconds, ["--rate", "\(pace)"])
        return Row(
          work: "performance entries, 1000 mockups, durable", at: "one stream, batches of 500",
          against: "",
          measurements: [Measurement("entries per second", result.rate, .atLeast, 100_000)],
          details: ["sent at \(pace)/s; \(result.cpu.short) µs of server CPU per entry"])
      } catch {
        failures.append("\(pace)/s: \(error)")
      }
    }
    throw BenchError(failures.joined(separator: "; "))
  }
}
