/// What time it is in a run. All times are of `Clock.now`.
struct Window {
  enum Phase {
    /// Calls go out and do not count.
    case warmingUp
    /// Calls go out, and answers count.
    case measuring
    /// No call goes out any more; those that wait may still be answered, and do not count.
    case draining
    case over
  }

  /// How long calls that are on their way at the end are waited for.
  static let longestDrain: UInt64 = 5_000_000_000

  private(set) var phase = Phase.warmingUp
  /// When the phase ends, unless it has to end before.
  private(set) var phaseEnd: UInt64
  private let measured: UInt64

  /// Both lengths in nanoseconds.
  init(start: UInt64, warmup: UInt64, measured: UInt64) {
    phaseEnd = start + warmup
    self.measured = measured
  }

  /// Ends the phase if its time has passed, and returns whether it did. A phase that begins late is not
  /// shorter for it.
  @inline(__always)
  mutating func advance(to now: UInt64) -> Bool {
    guard now >= phaseEnd else { return false }
    switch phase {
    case .warmingUp:
      phase = .measuring
      phaseEnd = now + measured
    case .measuring:
      phase = .draining
      phaseEnd = now + Self.longestDrain
    case .draining, .over:
      phase = .over
    }
    return true
  }

  /// Nothing is waited for any more.
  mutating func drained() {
    if phase == .draining { phase = .over }
  }
}
