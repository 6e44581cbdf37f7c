internal import NIOCore

/// A counter of the wasted frames of a connection, in short time spans.
struct WasteMeter {
  private static let spansPerSecond = 50
  private static let span: TimeAmount = .nanoseconds(1_000_000_000 / Int64(spansPerSecond))

  private var begin = NIODeadline.uptimeNanoseconds(0)
  private var frames = 0

  /// A Boolean value that indicates whether there has never been a wasted frame.
  var isNone: Bool { frames == 0 }

  /// The end of the time span of the last wasted frame.
  var end: NIODeadline { begin + Self.span }

  mutating func count(now: NIODeadline) {
    if now >= end { (begin, frames) = (now, 0) }
    frames += 1
  }

  /// Returns whether the current time span has as many wasted frames as the limit permits.
  func isTooMuch(_ limits: ServerLimits, now: @autoclosure () -> NIODeadline) -> Bool {
    let perSpan = limits.wastedFramesPerSecond / Self.spansPerSecond
    return frames >= max(perSpan, 1) && now() < end
  }
}
