/// Why bytes could not become a message.
///
/// The bytes come from a peer; the description repeats none of them and is safe to send back.
public enum ProtobufError: Error, Hashable {
  /// The bytes are not a message of this type: cut short, a wrong wire type, a group.
  case malformed(message: String)
  /// A string field holds something other than UTF-8. `field` is its full name, such as
  /// `mockups.v1.ReserveCreditsRequest.user_id`.
  case invalidUTF8(field: String)
  /// Messages are nested more deeply than `DecodingLimits.depth`.
  case tooDeep(message: String, limit: Int)
  /// The message would take more than `DecodingLimits.memory` bytes once unpacked.
  case tooLarge(message: String, limit: Int)
}

extension ProtobufError: CustomStringConvertible {
  /// A sentence without anything of the peer's bytes.
  public var description: String {
    switch self {
    case .malformed(let message): "malformed \(message)"
    case .invalidUTF8(let field): "\(field) is not valid UTF-8"
    case .tooDeep(let message, let limit): "\(message) is nested more than \(limit) levels deep"
    case .tooLarge(let message, let limit): "\(message) needs more than \(limit) bytes of memory"
    }
  }
}
