/// An error of decoding a message.
///
/// The description does not include any of the peer's bytes, so it can be sent back.
public enum ProtobufError: Error, Hashable {
  /// The bytes are not a message of this type: truncated, with a wrong wire type, or with a group.
  case malformed(message: String)
  /// A string field is not valid UTF-8.
  ///
  /// `field` is the full name, such as `mockups.v1.ReserveCreditsRequest.user_id`.
  case invalidUTF8(field: String)
  /// Submessages are nested deeper than ``DecodingLimits/depth``.
  case tooDeep(message: String, limit: Int)
  /// The message needs more than ``DecodingLimits/memory`` bytes when it is unpacked.
  case tooLarge(message: String, limit: Int)
}

extension ProtobufError: CustomStringConvertible {
  /// The error in one line, without any of the peer's bytes.
  public var description: String {
    switch self {
    case .malformed(let message): "malformed \(message)"
    case .invalidUTF8(let field): "\(field) is not valid UTF-8"
    case .tooDeep(let message, let limit): "\(message) is nested more than \(limit) levels deep"
    case .tooLarge(let message, let limit): "\(message) needs more than \(limit) bytes of memory"
    }
  }
}

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
