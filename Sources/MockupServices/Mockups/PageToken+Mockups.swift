internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import TTRPC

extension PageToken {
  static func text(_ cursor: MockupPage.Cursor) -> String {
    let microseconds = Int64((cursor.createdAt.timeIntervalSince1970 * 1_000_000).rounded())
    return Data("\(microseconds)/\(cursor.id.wireText)".utf8).base64EncodedString()
  }

  /// Decodes the token of a list of mockups; empty becomes `nil`.
  ///
  /// - Throws: INVALID_ARGUMENT if the token is not valid.
  static func mockupCursor(
    _ text: String, _ field: String
  ) throws(RPCError) -> MockupPage.Cursor? {
    guard !text.isEmpty else { return nil }
    let decoded = Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let parts = decoded.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let microseconds = Int64(parts[0]),
      let id = UUID(wireText: String(parts[1])), supportedMicroseconds.contains(microseconds)
    else { throw .invalid(field, "is not a valid token") }
    let createdAt = Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
    return MockupPage.Cursor(createdAt: createdAt, id: id)
  }

  /// The microseconds since 1970 that both PostgreSQL and a `Date` can represent.
  private static let supportedMicroseconds: ClosedRange<Int64> =
    -3_000_000_000_000_000...5_000_000_000_000_000
}
