internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import TTRPC

/// The encoding of page tokens, which are opaque to clients.
enum PageToken {
  static func text(_ cursor: LedgerPage.Cursor) -> String {
    text("\(cursor.year)/\(cursor.sequence)")
  }

  static func text(_ cursor: ReservationPage.Cursor) -> String {
    let microseconds = Int64((cursor.createdAt.timeIntervalSince1970 * 1_000_000).rounded())
    return text("\(microseconds)/\(cursor.id.wireText)")
  }

  /// Decodes the token of a ledger page; empty becomes `nil`.
  ///
  /// - Throws: INVALID_ARGUMENT if the token is not valid.
  static func cursor(_ text: String, _ field: String) throws(RPCError) -> LedgerPage.Cursor? {
    guard !text.isEmpty else { return nil }
    guard let (first, second) = parts(text), let year = Int32(first), let sequence = Int64(second)
    else { throw .invalidToken(field) }
    return LedgerPage.Cursor(year: year, sequence: sequence)
  }

  /// Decodes the token of a page of reservations; empty becomes `nil`.
  ///
  /// - Throws: INVALID_ARGUMENT if the token is not valid.
  static func reservation(
    _ text: String, _ field: String
  ) throws(RPCError) -> ReservationPage.Cursor? {
    guard !text.isEmpty else { return nil }
    guard let (first, second) = parts(text),
      let microseconds = Int64(first), supportedMicroseconds.contains(microseconds),
      let id = UUID(wireText: second)
    else { throw .invalidToken(field) }
    return ReservationPage.Cursor(
      createdAt: Date(timeIntervalSince1970: Double(microseconds) / 1_000_000), id: id)
  }

  /// The microseconds since 1970 of the years 1970 to 9999.
  private static let supportedMicroseconds: Range<Int64> = 0..<253_402_300_800_000_000

  private static func text(_ parts: String) -> String {
    Data(parts.utf8).base64EncodedString()
  }

  private static func parts(_ text: String) -> (String, String)? {
    let decoded = Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let parts = decoded.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
  }
}

extension RPCError {
  fileprivate static func invalidToken(_ field: String) -> RPCError {
    .invalid(field, "is not a valid token")
  }
}
