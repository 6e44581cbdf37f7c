internal import NIOCore

extension Duration {
  /// As good as for ever, and still within what an event loop's clock can count.
  static let longest = Duration.seconds(365 * 86_400)
}
