import CoreMetrics
import Prometheus
import Testing

@Suite struct ConcurrencyTests {
  private static let tasks = 4
  private static let rounds = 1_000_000

  /// Runs a closure with 0, 1, 2… in concurrent tasks, and waits until they end.
  private func runConcurrently(_ body: @escaping @Sendable (Int) -> Void) async {
    await withTaskGroup { group in
      for _ in 0..<Self.tasks {
        group.addTask {
          for round in 0..<Self.rounds { body(round) }
        }
      }
    }
  }

  @Test func `no update is lost between concurrent tasks`() async throws {
    let registry = PrometheusRegistry(process: nil)
    registry.setBuckets([1, 2, 4], for: "r")
    registry.setBuckets([1e-9, 3e-9], for: "t")
    let counter = Counter(label: "c", factory: registry)
    await runConcurrently { _ in counter.increment(by: 3) }
    let floating = FloatingPointCounter(label: "f", factory: registry)
    await runConcurrently { _ in floating.increment(by: 0.5) }
    let meter = Meter(label: "m", factory: registry)
    await runConcurrently { _ in meter.increment() }
    let recorder = Recorder(label: "r", factory: registry)
    await runConcurrently { recorder.record($0 % 5) }
    let timer = CoreMetrics.Timer(label: "t", factory: registry)
    await runConcurrently { timer.recordNanoseconds(Int64($0 % 5)) }
    let parsed = try ExpositionParser(registry.text())
    let total = Double(Self.tasks * Self.rounds)
    #expect(parsed.value("c_total") == total * 3)
    #expect(parsed.value("f_total") == total / 2)
    #expect(parsed.value("m") == total)
    #expect(parsed.value("r_sum") == total * 2)
    #expect(parsed.value("r_bucket", ["le": "2"]) == total / 5 * 3)
    #expect(parsed.value("t_seconds_sum") == total * 2 / 1e9)
    #expect(parsed.value("t_seconds_bucket", ["le": "1e-09"]) == total / 5 * 2)
    #expect(parsed.value("t_seconds_count") == total)
  }

  @Test func `the text is valid while other tasks record`() async throws {
    let registry = PrometheusRegistry(process: nil)
    let timer = CoreMetrics.Timer(label: "t", factory: registry)
    try await withThrowingTaskGroup { group in
      group.addTask {
        for round in 0..<20_000 { timer.recordNanoseconds(Int64(round) * 1_000_000) }
      }
      group.addTask {
        for round in 0..<500 {
          Counter(label: "c\(round)", factory: registry).increment()
          if round % 10 == 0 { _ = try ExpositionParser(registry.text()) }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func `the series limit holds for concurrent requests`() async throws {
    let registry = PrometheusRegistry(seriesLimit: 50, process: nil)
    await withTaskGroup { group in
      for _ in 0..<Self.tasks {
        group.addTask {
          for index in 0..<200 {
            Counter(label: "c", dimensions: [("i", "\(index)")], factory: registry).increment()
          }
        }
      }
    }
    let samples = try ExpositionParser(registry.text()).families.first { $0.name == "c_total" }?
      .samples
    #expect(samples?.count == 50)
    #expect(samples?.allSatisfy { $0.value == Double(Self.tasks) } == true)
  }
}
