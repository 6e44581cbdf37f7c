/// What one side of a connection accepts.
public struct WireLimits: Sendable, Hashable {
  /// The protocol's own bound on a frame's payload: 4 MiB, inclusive.
  public static let protocolMaximumMessageSize = 4_194_304

  /// The longest payload of a frame that is accepted or sent, in bytes, envelope included. At most
  /// ``protocolMaximumMessageSize``; what is above it is taken as that.
  public var maximumMessageSize: Int {
    didSet { maximumMessageSize = min(maximumMessageSize, Self.protocolMaximumMessageSize) }
  }

  public init(maximumMessageSize: Int = protocolMaximumMessageSize) {
    self.maximumMessageSize = min(maximumMessageSize, Self.protocolMaximumMessageSize)
  }
}
