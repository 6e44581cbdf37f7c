/// The phases of a run, with times on the clock `Clock.now`.
struct Window {
  enum Phase {
    /// Calls are sent, and responses are not counted.
    case warmingUp
    /// Calls are sent, and responses are counted.
    case measuring
    /// No more calls are sent, and the responses that still arrive are not counted.
    case draining
    case over
  }

  /// The maximum time to wait for calls in flight at the end, in nanoseconds.
  static let maxDrainTime: UInt64 = 5_000_000_000

  private(set) var phase = Phase.warmingUp
  /// The time at which the phase ends, at the latest.
  private(set) var phaseEnd: UInt64
  private let measured: UInt64

  /// Creates a window with the lengths of its first two phases in nanoseconds.
  init(start: UInt64, warmup: UInt64, measured: UInt64) {
    phaseEnd = start + warmup
    self.measured = measured
  }

  /// Ends the phase if its time is over, and returns whether it has ended.
  ///
  /// A phase that begins late keeps its length.
  @inline(__always)
  mutating func advance(to now: UInt64) -> Bool {
    guard now >= phaseEnd else { return false }
    switch phase {
    case .warmingUp:
      phase = .measuring
      phaseEnd = now + measured
    case .measuring:
      phase = .draining
      phaseEnd = now + Self.maxDrainTime
    case .draining, .over:
      phase = .over
    }
    return true
  }

  /// Ends the drain, since no call waits for a response any more.
  mutating func drained() {
    if phase == .draining { phase = .over }
  }
}
