/// The exponential, bounded, jittered pauses between attempts to connect.
struct Backoff: Sendable {
  let minimum: Duration
  let maximum: Duration
  private var failures = 0

  init(minimum: Duration, maximum: Duration) {
    self.minimum = minimum
    self.maximum = maximum
  }

  /// Records a failure and returns the pause, which is between half of the step and the whole step.
  mutating func failed(randomFraction: Double) -> Duration {
    // Any minimum times 2^30 exceeds every sensible maximum.
    let step = min(minimum * (1 << min(failures, 30)), maximum)
    failures += 1
    return step / 2 + step / 2 * min(max(randomFraction, 0), 1)
  }

  /// Resets the pauses after a success.
  mutating func succeeded() {
    failures = 0
  }
}
