import CoreMetrics
import Prometheus
import Testing

@Suite struct ConcurrencyTests {
  private static let tasks = 16
  private static let rounds = 5_000

  @Test func nothingIsLostBetweenManyTasks() async throws {
    let registry = PrometheusRegistry(process: nil)
    registry.setBuckets([1, 2, 4], for: "r")
    registry.setBuckets([1e-9, 3e-9], for: "t")
    await withTaskGroup { group in
      for task in 0..<Self.tasks {
        group.addTask {
          let counter = Counter(label: "c", factory: registry)
          let floating = FloatingPointCounter(label: "f", factory: registry)
          let meter = Meter(label: "m", factory: registry)
          let recorder = Recorder(label: "r", factory: registry)
          let timer = CoreMetrics.Timer(label: "t", factory: registry)
          for round in 0..<Self.rounds {
            counter.increment(by: 3)
            floating.increment(by: 0.5)
            meter.increment()
            recorder.record(round % 5)
            timer.recordNanoseconds(Int64(round % 5))
            if round % 500 == task { _ = registry.text() }
          }
        }
      }
    }
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

  @Test func theLimitHoldsWhenManyAskAtOnce() async throws {
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
