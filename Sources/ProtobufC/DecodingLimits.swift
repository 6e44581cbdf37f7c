/// How much a peer's bytes may cost to decode.
public struct DecodingLimits: Sendable, Hashable {
  /// The most memory that one message may take while it is decoded, in bytes: protobuf-c's structs
  /// and the Swift arrays of submessages. Two bytes on the wire can ask for hundreds.
  public var memory: Int
  /// How many submessages may lie inside one another; the outermost message counts as zero.
  public var depth: Int

  /// 64 MiB and 100 levels, the depth that other implementations of Protobuf allow.
  public static let `default` = DecodingLimits()

  /// - Parameters:
  ///   - memory: bytes, at least zero.
  ///   - depth: levels, at least zero.
  public init(memory: Int = 64 << 20, depth: Int = 100) {
    self.memory = memory
    self.depth = depth
  }
}
