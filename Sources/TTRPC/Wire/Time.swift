internal import NIOCore

extension TimeAmount {
  /// Creates the amount of time from zero to one year that is closest to a duration.
  ///
  /// A peer may request any number of seconds, and an event loop's clock cannot represent every
  /// `Duration`.
  init(clamping duration: Duration) {
    self.init(min(max(duration, .zero), .seconds(365 * 86_400)))
  }
}

extension NIODeadline {
  /// Returns the time after a duration, which is clamped to the range from zero to one year.
  func advanced(by duration: Duration) -> NIODeadline { self + TimeAmount(clamping: duration) }
}
