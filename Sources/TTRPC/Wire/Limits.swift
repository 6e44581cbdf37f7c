/// The size limits of one side of a connection.
public struct WireLimits: Sendable, Hashable {
  /// The protocol's limit for the payload of a frame, in bytes: 4 MiB, inclusive.
  public static let protocolMaximumMessageSize = 4_194_304

  /// The size of the largest frame payload that is sent or accepted, in bytes.
  ///
  /// The envelope counts. Larger values are reduced to ``protocolMaximumMessageSize``.
  public var maximumMessageSize: Int {
    didSet { maximumMessageSize = min(maximumMessageSize, Self.protocolMaximumMessageSize) }
  }

  /// Creates limits, by default the protocol's own.
  ///
  /// - Parameter maximumMessageSize: The size of the largest frame payload, in bytes.
  public init(maximumMessageSize: Int = protocolMaximumMessageSize) {
    self.maximumMessageSize = min(maximumMessageSize, Self.protocolMaximumMessageSize)
  }
}
