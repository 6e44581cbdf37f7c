/// The limits on the resources that decoding a peer's message may use.
public struct DecodingLimits: Sendable, Hashable {
  /// The maximum memory, in bytes, that one message may take while it is decoded.
  ///
  /// It covers protobuf-c's structs and the Swift arrays of submessages. A peer can cause hundreds
  /// of bytes to be allocated with two bytes on the wire.
  public var memory: Int
  /// The maximum nesting depth of submessages; the outermost message has depth zero.
  public var depth: Int

  /// The default limits: 64 MiB, and 100 levels as in other Protobuf implementations.
  public static let `default` = DecodingLimits()

  /// Creates limits, which must not be negative.
  ///
  /// - Parameters:
  ///   - memory: The maximum memory, in bytes.
  ///   - depth: The maximum nesting depth, in levels.
  public init(memory: Int = 64 << 20, depth: Int = 100) {
    self.memory = memory
    self.depth = depth
  }
}
