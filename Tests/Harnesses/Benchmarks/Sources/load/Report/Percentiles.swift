internal import Histogram

/// The reported percentiles of a distribution, in microseconds.
struct Percentiles {
  let p50: Double
  let p90: Double
  let p99: Double
  let p99_9: Double
  let p99_99: Double
  let max: Double

  /// Reads the percentiles of values in nanoseconds; `nil` if there are none.
  init?(_ histogram: Histogram<UInt64>) {
    guard histogram.totalCount > 0 else { return nil }
    func microseconds(_ percentile: Double) -> Double {
      Double(histogram.valueAtPercentile(percentile)) / 1000
    }
    p50 = microseconds(50)
    p90 = microseconds(90)
    p99 = microseconds(99)
    p99_9 = microseconds(99.9)
    p99_99 = microseconds(99.99)
    max = Double(histogram.max) / 1000
  }

  var json: JSON {
    [
      "p50": .number(p50), "p90": .number(p90), "p99": .number(p99), "p99.9": .number(p99_9),
      "p99.99": .number(p99_99), "max": .number(max),
    ]
  }
}
