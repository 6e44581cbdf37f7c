internal import CoreMetrics
internal import Synchronization

/// Durations: a record is one atomic addition to a bucket and one to the sum.
///
/// There is no count of its own: it is that of all buckets, and so agrees with them at any moment.
/// The sum starts from 0 again beyond 2⁶⁴ nanoseconds, 584 years, which Prometheus takes for a restart.
final class TimerSeries: Series, TimerHandler {
  private let bounds: [Int64]
  private let boundaries: [Double]
  private let buckets: Buckets
  private let nanoseconds = Atomic<UInt64>(0)

  /// - Parameter boundaries: in seconds, ascending.
  init(boundaries: [Double]) {
    self.boundaries = boundaries
    bounds = boundaries.map { Int64(exactly: ($0 * 1e9).rounded()) ?? ($0 < 0 ? .min : .max) }
    buckets = Buckets(count: boundaries.count + 1)
  }

  /// Adds a duration; a negative one is none.
  func recordNanoseconds(_ duration: Int64) {
    let duration = max(duration, 0)
    buckets.increment(Boundaries.index(of: duration, in: bounds))
    nanoseconds.wrappingAdd(UInt64(duration), ordering: .relaxed)
  }

  var values: FamilySnapshot.Values {
    .histogram(
      boundaries: boundaries, counts: buckets.counts,
      sum: Double(nanoseconds.load(ordering: .relaxed)) / 1e9)
  }
}

/// Numbers of any size: as with timers, but for a sum that may have to be tried again.
final class RecorderSeries: Series, RecorderHandler {
  private let boundaries: [Double]
  private let buckets: Buckets
  private let sum = AtomicDouble()

  /// - Parameter boundaries: ascending.
  init(boundaries: [Double]) {
    self.boundaries = boundaries
    buckets = Buckets(count: boundaries.count + 1)
  }

  func record(_ value: Int64) {
    record(Double(value))
  }

  /// Adds a value. One that is not finite would spoil the sum for ever, so it is left out.
  func record(_ value: Double) {
    guard value.isFinite else { return }
    buckets.increment(Boundaries.index(of: value, in: boundaries))
    sum.add(value)
  }

  var values: FamilySnapshot.Values {
    .histogram(boundaries: boundaries, counts: buckets.counts, sum: sum.value)
  }
}

/// How often each bucket was hit: cells in the object itself, so that nothing is counted but hits.
final class Buckets: Sendable {
  private let hits = InlineArray<64, Atomic<UInt64>> { _ in Atomic(0) }
  private let count: Int

  /// - Parameter count: as many as `Boundaries.limit` allows, and one.
  init(count: Int) {
    self.count = count
  }

  func increment(_ index: Int) {
    hits[index].wrappingAdd(1, ordering: .relaxed)
  }

  var counts: [UInt64] { (0..<count).map { hits[$0].load(ordering: .relaxed) } }
}

enum Boundaries {
  /// The bucket for everything comes on top.
  static let limit = 63

  /// What of a choice can be used: finite bounds, each once, ascending, the lowest ones.
  static func usable(_ boundaries: [Double]) -> [Double] {
    Array(Set(boundaries.filter(\.isFinite)).sorted().prefix(limit))
  }

  /// The first bucket whose bound is not below a value, by halving; the last one has no bound.
  static func index<Value: Comparable>(of value: Value, in bounds: [Value]) -> Int {
    var low = 0
    var high = bounds.count
    while low < high {
      let middle = (low + high) / 2
      if bounds[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
