internal import CoreMetrics
internal import Synchronization

/// A series: the values of a metric with one set of labels, which any thread changes without a
/// lock.
protocol Series: AnyObject, Sendable {
  /// The current values.
  ///
  /// A histogram's values are read one by one while other threads may change them.
  var values: FamilySnapshot.Values { get }
}

/// A counter of whole numbers, in which an increment is one atomic addition.
///
/// It wraps to 0 after 2⁶⁴, which Prometheus treats as a restart.
final class CounterSeries: Series, CounterHandler {
  private let count = Atomic<UInt64>(0)

  func increment(by amount: Int64) {
    guard amount > 0 else { return }
    count.wrappingAdd(UInt64(amount), ordering: .relaxed)
  }

  func reset() {
    count.store(0, ordering: .relaxed)
  }

  var values: FamilySnapshot.Values { .integer(count.load(ordering: .relaxed)) }
}

final class FloatingPointCounterSeries: Series, FloatingPointCounterHandler {
  private let sum = AtomicDouble()

  func increment(by amount: Double) {
    guard amount > 0, amount.isFinite else { return }
    sum.add(amount)
  }

  func reset() {
    sum.set(0)
  }

  var values: FamilySnapshot.Values { .number(sum.value) }
}

/// The last value of a meter, a gauge, or a recorder that does not aggregate.
final class GaugeSeries: Series, MeterHandler, RecorderHandler {
  private let number = AtomicDouble()

  func set(_ value: Int64) { number.set(Double(value)) }
  func set(_ value: Double) { number.set(value) }
  func record(_ value: Int64) { number.set(Double(value)) }
  func record(_ value: Double) { number.set(value) }
  func increment(by amount: Double) { number.add(amount) }
  func decrement(by amount: Double) { number.add(-amount) }

  var values: FamilySnapshot.Values { .number(number.value) }
}

/// An atomic floating-point number; an addition retries if another thread changed the number first.
final class AtomicDouble: Sendable {
  private let bits = Atomic<UInt64>(0)

  var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  func set(_ value: Double) {
    bits.store(value.bitPattern, ordering: .relaxed)
  }

  func add(_ amount: Double) {
    var old = bits.load(ordering: .relaxed)
    while true {
      let new = (Double(bitPattern: old) + amount).bitPattern
      let (exchanged, original) = bits.weakCompareExchange(
        expected: old, desired: new, ordering: .relaxed)
      if exchanged { return }
      old = original
    }
  }
}
