import Synchronization

/// An optional instant that any thread can read.
struct AtomicInstant: ~Copyable {
  private static let origin = ContinuousClock.now

  /// The nanoseconds from the origin to the instant; 0 for none.
  private let nanoseconds = Atomic<Int64>(0)

  func store(_ instant: ContinuousClock.Instant?) {
    let value = instant.map { max(Int64(($0 - Self.origin) / .nanoseconds(1)), 1) } ?? 0
    nanoseconds.store(value, ordering: .relaxed)
  }

  /// The time since the instant; nil if there is none.
  var age: Duration? {
    let value = nanoseconds.load(ordering: .relaxed)
    return value == 0 ? nil : ContinuousClock.now - Self.origin - .nanoseconds(value)
  }
}
