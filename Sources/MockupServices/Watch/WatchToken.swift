internal import FoundationEssentials
internal import MockupAPI
internal import TTRPC

/// The encoding of a watch's resume token, which is opaque to clients and valid for one user.
enum WatchToken {
  static func text(_ revision: Int64, of userID: UUID) -> String {
    Data("\(userID.wireText)/\(revision)".utf8).base64EncodedString()
  }

  /// Decodes the revision after which the watch continues; empty becomes `nil`.
  ///
  /// - Throws: INVALID_ARGUMENT if the token is not valid or belongs to another user.
  static func revision(
    _ text: String, of userID: UUID, _ field: String
  ) throws(RPCError) -> Int64? {
    guard !text.isEmpty else { return nil }
    let decoded = Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let parts = decoded.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let user = UUID(wireText: String(parts[0])),
      let revision = Int64(parts[1]), revision >= 0
    else { throw .invalid(field, "is not a valid token") }
    guard user == userID else { throw .invalid(field, "belongs to another user") }
    return revision
  }
}
