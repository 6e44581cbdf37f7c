import CoreMetrics
import Prometheus
import Testing

@Suite struct ValueTests {
  private let registry = PrometheusRegistry(process: nil)

  private func parsed() throws -> ExpositionParser { try ExpositionParser(registry.text()) }

  @Test(arguments: [
    0, -0.0, 1, -1, 0.1, 1e-300, 1e300, 9_007_199_254_740_994, .infinity, -.infinity,
    .greatestFiniteMagnitude, .leastNonzeroMagnitude,
  ])
  func `a gauge shows any number`(_ value: Double) throws {
    Gauge(label: "g", factory: registry).record(value)
    #expect(try parsed().value("g") == value)
  }

  @Test func `a gauge shows NaN`() throws {
    Meter(label: "g", factory: registry).set(Double.nan)
    #expect(try parsed().value("g")?.isNaN == true)
  }

  @Test func `a meter goes up and down`() throws {
    let meter = Meter(label: "m", factory: registry)
    meter.set(5)
    meter.increment(by: 2.5)
    meter.decrement()
    #expect(try parsed().value("m") == 6.5)
  }

  @Test func `a counter never goes down`() throws {
    let counter = Counter(label: "c", factory: registry)
    counter.increment(by: 3)
    counter.increment(by: -2)
    counter.increment(by: Int64.min)
    #expect(try parsed().value("c_total") == 3)
    let floating = FloatingPointCounter(label: "f", factory: registry)
    for amount in [1.5, -1, .nan, .infinity, -.infinity] { floating.increment(by: amount) }
    #expect(try parsed().value("f_total") == 1.5)
  }

  @Test func `a reset counter starts at zero`() throws {
    let counter = Counter(label: "c", factory: registry)
    counter.increment(by: 3)
    counter.reset()
    counter.increment()
    #expect(try parsed().value("c_total") == 1)
  }

  @Test func `a recorder ignores values that are not finite`() throws {
    registry.setBuckets([-1, 10], for: "r")
    let recorder = Recorder(label: "r", factory: registry)
    for value in [.nan, .infinity, -.infinity, -1, 0, 10, 10.5] { recorder.record(value) }
    recorder.record(Int64.max)
    let parsed = try parsed()
    #expect(parsed.value("r_bucket", ["le": "-1"]) == 1)
    #expect(parsed.value("r_bucket", ["le": "10"]) == 3)
    #expect(parsed.value("r_count") == 5)
    #expect(parsed.value("r_sum") == 19.5 + Double(Int64.max))
  }

  @Test func `a timer accepts a duration of any length`() throws {
    let timer = CoreMetrics.Timer(label: "t", factory: registry)
    timer.recordNanoseconds(-5 as Int64)
    timer.recordNanoseconds(100_000 as Int64)
    timer.recordNanoseconds(Int64.max)
    let parsed = try parsed()
    #expect(parsed.value("t_seconds_bucket", ["le": "0.0001"]) == 2)
    #expect(parsed.value("t_seconds_bucket", ["le": "10"]) == 2)
    #expect(parsed.value("t_seconds_count") == 3)
    #expect(parsed.value("t_seconds_sum") == (Double(UInt64(Int64.max) + 100_000)) / 1e9)
  }

  @Test func `a histogram without bounds has only the infinite bucket`() throws {
    registry.setBuckets([], for: "t")
    CoreMetrics.Timer(label: "t", factory: registry).recordSeconds(1)
    #expect(try parsed().value("t_seconds_bucket", ["le": "+Inf"]) == 1)
    #expect(try parsed().families.first { $0.name == "t_seconds" }?.samples.count == 3)
  }

  @Test func `too many buckets are reduced to the lowest ones`() throws {
    registry.setBuckets((0..<100).map { Double(99 - $0) }, for: "r")
    let recorder = Recorder(label: "r", factory: registry)
    for value in 0..<100 { recorder.record(value) }
    let parsed = try parsed()
    #expect(parsed.value("r_bucket", ["le": "62"]) == 63)
    #expect(parsed.value("r_bucket", ["le": "63"]) == nil)
    #expect(parsed.value("r_count") == 100)
  }
}
