internal import FoundationEssentials
internal import MockupAPI
internal import TTRPC

/// Where a watch goes on, as a text that means something to this server only, and for one user.
enum WatchToken {
  static func text(_ revision: Int64, of userID: UUID) -> String {
    Data("\(userID.wireText)/\(revision)".utf8).base64EncodedString()
  }

  /// The revision after which to go on; nothing for an empty text.
  ///
  /// - Throws: INVALID_ARGUMENT for a text that this server did not make, or made for another user.
  static func revision(
    _ text: String, of userID: UUID, _ field: String
  ) throws(RPCError) -> Int64? {
    guard !text.isEmpty else { return nil }
    let decoded = Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let parts = decoded.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let user = UUID(wireText: String(parts[0])),
      let revision = Int64(parts[1]), revision >= 0
    else { throw .invalid(field, "is no token of this server") }
    guard user == userID else { throw .invalid(field, "is of another user") }
    return revision
  }
}
