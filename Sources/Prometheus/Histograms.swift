internal import CoreMetrics
internal import Synchronization

/// A histogram of durations, in which a record is two atomic additions: to a bucket and to the sum.
///
/// The total count is computed from the buckets, so it always agrees with them. The sum wraps to 0
/// after 2⁶⁴ nanoseconds (584 years), which Prometheus treats as a restart.
final class TimerSeries: Series, TimerHandler {
  private let boundsInNanoseconds: [Int64]
  private let boundaries: [Double]
  private let buckets: Buckets
  private let sumOfNanoseconds = Atomic<UInt64>(0)

  /// Creates an empty histogram.
  ///
  /// - Parameter boundaries: The upper bounds of the buckets, in seconds, ascending.
  init(boundaries: [Double]) {
    self.boundaries = boundaries
    boundsInNanoseconds = boundaries.map {
      Int64(exactly: ($0 * 1e9).rounded()) ?? ($0 < 0 ? .min : .max)
    }
    buckets = Buckets(count: boundaries.count + 1)
  }

  /// Records a duration; negative durations count as 0.
  func recordNanoseconds(_ duration: Int64) {
    let duration = max(duration, 0)
    buckets.increment(Boundaries.index(of: duration, in: boundsInNanoseconds))
    sumOfNanoseconds.wrappingAdd(UInt64(duration), ordering: .relaxed)
  }

  var values: FamilySnapshot.Values {
    .histogram(
      boundaries: boundaries, counts: buckets.counts,
      sum: Double(sumOfNanoseconds.load(ordering: .relaxed)) / 1e9)
  }
}

/// A histogram of numbers.
///
/// An addition to the sum is retried if another thread changed it first.
final class RecorderSeries: Series, RecorderHandler {
  private let boundaries: [Double]
  private let buckets: Buckets
  private let sum = AtomicDouble()

  /// Creates an empty histogram.
  ///
  /// - Parameter boundaries: The upper bounds of the buckets, ascending.
  init(boundaries: [Double]) {
    self.boundaries = boundaries
    buckets = Buckets(count: boundaries.count + 1)
  }

  func record(_ value: Int64) {
    record(Double(value))
  }

  /// Records a value, or ignores it if it is not finite, because it would make the sum useless.
  func record(_ value: Double) {
    guard value.isFinite else { return }
    buckets.increment(Boundaries.index(of: value, in: boundaries))
    sum.add(value)
  }

  var values: FamilySnapshot.Values {
    .histogram(boundaries: boundaries, counts: buckets.counts, sum: sum.value)
  }
}

/// The number of values in each bucket.
///
/// The counters are stored inline, so they need no allocation of their own.
final class Buckets: Sendable {
  // One more than `Boundaries.limit`.
  private let counters = InlineArray<64, Atomic<UInt64>> { _ in Atomic(0) }
  private let count: Int

  /// Creates empty buckets.
  ///
  /// - Parameter count: The number of buckets, at most `Boundaries.limit` + 1.
  init(count: Int) {
    self.count = count
  }

  func increment(_ index: Int) {
    counters[index].wrappingAdd(1, ordering: .relaxed)
  }

  var counts: [UInt64] { (0..<count).map { counters[$0].load(ordering: .relaxed) } }
}

/// Operations on the upper bounds of buckets.
enum Boundaries {
  /// The maximum number of boundaries.
  static let limit = 63

  /// Returns the finite boundaries, sorted and without duplicates: at most ``limit``, the lowest
  /// ones.
  static func usable(_ boundaries: [Double]) -> [Double] {
    Array(Set(boundaries.filter(\.isFinite)).sorted().prefix(limit))
  }

  /// Returns the index of the first bucket whose upper bound is at least a value.
  ///
  /// The index after the last bound stands for the bucket without a bound.
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
