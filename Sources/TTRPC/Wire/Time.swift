internal import NIOCore

extension Duration {
  /// The longest timeout that is passed to an event loop: one year.
  ///
  /// An event loop's clock cannot represent every `Duration`.
  static let longest = Duration.seconds(365 * 86_400)
}
