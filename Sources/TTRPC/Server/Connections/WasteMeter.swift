internal import NIOCore

/// A counter of the wasted frames of a connection, in short time spans.
struct WasteMeter {
  private static let spansPerSecond = 50
  private static let span: TimeAmount = .nanoseconds(1_000_000_000 / Int64(spansPerSecond))
  private static let longestSpan: TimeAmount = .seconds(1)

  /// The number of wasted frames of which the time span may have one less.
  private let limit: Int
  private var begin = NIODeadline.uptimeNanoseconds(0)
  private var frames = 0

  init(_ limits: ServerLimits) {
    limit = max(limits.wastedFramesPerSecond / Self.spansPerSecond, 1)
  }

  /// A Boolean value that indicates whether there has never been a wasted frame.
  var isNone: Bool { frames == 0 }

  /// The end of the time span of the last wasted frame.
  ///
  /// A read may have many of them, which then take longer than the shortest span.
  var end: NIODeadline {
    let time = TimeAmount.nanoseconds(Self.span.nanoseconds * Int64(frames) / Int64(limit))
    return begin + min(max(time, Self.span), Self.longestSpan)
  }

  mutating func count(_ frames: Int = 1, now: NIODeadline) {
    if now >= end { (begin, self.frames) = (now, 0) }
    self.frames += frames
  }

  /// Returns whether the current time span has as many wasted frames as the limit permits.
  func isTooMuch(now: @autoclosure () -> NIODeadline) -> Bool { frames >= limit && now() < end }
}
