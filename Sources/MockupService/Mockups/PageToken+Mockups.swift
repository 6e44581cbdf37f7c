internal import FoundationEssentials
internal import MockupAPI
internal import MockupStore
internal import TTRPC

extension PageToken {
  static func text(_ cursor: MockupPage.Cursor) -> String {
    let microseconds = Int64((cursor.createdAt.timeIntervalSince1970 * 1_000_000).rounded())
    return Data("\(microseconds)/\(cursor.id.wireText)".utf8).base64EncodedString()
  }

  /// - Throws: INVALID_ARGUMENT for a text that this server did not make.
  static func mockupCursor(
    _ text: String, _ field: String
  ) throws(RPCError) -> MockupPage.Cursor? {
    guard !text.isEmpty else { return nil }
    let decoded = Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let parts = decoded.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let microseconds = Int64(parts[0]),
      let id = UUID(wireText: String(parts[1])), moments.contains(microseconds)
    else { throw .invalid(field, "is no token of this server") }
    let createdAt = Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
    return MockupPage.Cursor(createdAt: createdAt, id: id)
  }

  /// Years that the database knows, and a `Date` to the microsecond.
  private static let moments: ClosedRange<Int64> = -3_000_000_000_000_000...5_000_000_000_000_000
}
