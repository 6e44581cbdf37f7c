internal import NIOCore

extension TimeAmount {
  /// Returns a duration as an amount of time from zero to one year.
  ///
  /// A peer may request any number of seconds, and an event loop's clock cannot represent every
  /// `Duration`.
  static func upToLongest(_ duration: Duration) -> TimeAmount {
    TimeAmount(min(max(duration, .zero), .seconds(365 * 86_400)))
  }
}

extension NIODeadline {
  /// Returns the time after a duration, from zero to one year.
  func advanced(by duration: Duration) -> NIODeadline { self + .upToLongest(duration) }
}
