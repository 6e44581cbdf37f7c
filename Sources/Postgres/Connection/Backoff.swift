/// How long to pause before the next attempt to connect: exponential, bounded, jittered.
struct Backoff: Sendable {
  let minimum: Duration
  let maximum: Duration
  private var failures = 0

  init(minimum: Duration, maximum: Duration) {
    self.minimum = minimum
    self.maximum = maximum
  }

  /// Notes a failure, and tells the pause: between half of the step and the whole of it.
  mutating func failed(randomFraction: Double) -> Duration {
    // 2^30 of anything is beyond every maximum worth having.
    let step = min(minimum * (1 << min(failures, 30)), maximum)
    failures += 1
    return step / 2 + step / 2 * min(max(randomFraction, 0), 1)
  }

  /// Notes a success: the next failure is the first again.
  mutating func succeeded() {
    failures = 0
  }
}
