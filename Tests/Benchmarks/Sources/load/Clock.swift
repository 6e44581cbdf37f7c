internal import Glibc

/// Times in nanoseconds.
enum Clock {
  /// Since some moment in the past; never goes back.
  @inline(__always)
  static func now() -> UInt64 { read(CLOCK_MONOTONIC) }

  /// What this process has used of the processors, in the kernel and outside of it.
  static func processorTime() -> UInt64 { read(CLOCK_PROCESS_CPUTIME_ID) }

  @inline(__always)
  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000
      &+ UInt64(truncatingIfNeeded: time.tv_nsec)
  }
}
