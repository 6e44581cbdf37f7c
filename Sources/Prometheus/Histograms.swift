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

/// How often each bucket was hit.
final class Buckets: Sendable {
  private final class Bucket: Sendable {
    let count = Atomic<UInt64>(0)
  }

  private let buckets: [Bucket]

  init(count: Int) {
    buckets = (0..<count).map { _ in Bucket() }
  }

  func increment(_ index: Int) {
    buckets[index].count.wrappingAdd(1, ordering: .relaxed)
  }

  var counts: [UInt64] { buckets.map { $0.count.load(ordering: .relaxed) } }
}

enum Boundaries {
  /// What of a choice can be used: finite bounds, each once, ascending.
  static func usable(_ boundaries: [Double]) -> [Double] {
    Set(boundaries.filter(\.isFinite)).sorted()
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
