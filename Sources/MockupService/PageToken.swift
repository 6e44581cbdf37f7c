internal import FoundationEssentials
internal import MockupStore
internal import TTRPC

/// Where a list goes on, as a text that means something to this server only.
enum PageToken {
  static func text(_ cursor: LedgerPage.Cursor) -> String {
    Data("\(cursor.year)/\(cursor.sequence)".utf8).base64EncodedString()
  }

  /// - Throws: INVALID_ARGUMENT for a text that this server did not make.
  static func cursor(_ text: String, _ field: String) throws(RPCError) -> LedgerPage.Cursor? {
    guard !text.isEmpty else { return nil }
    let decoded = Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let parts = decoded.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let year = Int32(parts[0]), let sequence = Int64(parts[1]) else {
      throw .invalid(field, "is no token of this server")
    }
    return LedgerPage.Cursor(year: year, sequence: sequence)
  }
}
