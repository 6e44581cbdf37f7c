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
    text("\(microseconds(cursor.createdAt))/\(cursor.id.wireText)")
  }

  static func text(_ cursor: UnresolvedPage.Cursor) -> String {
    text("\(microseconds(cursor.since))/\(cursor.userID.wireText)/\(cursor.id.wireText)")
  }

  static func text(_ cursor: ExportCursor) -> String {
    text("\(cursor.userID.wireText)/\(cursor.entry.year)/\(cursor.entry.sequence)")
  }

  /// Encodes the positions of alerts, one for each partition.
  static func text(alerts positions: [Int64]) -> String {
    text((["alert"] + positions.map(String.init)).joined(separator: "/"))
  }

  /// Decodes the token of alerts; empty becomes `nil`.
  ///
  /// - Parameter count: The number of positions that the token must have.
  /// - Throws: INVALID_ARGUMENT if the token is not valid.
  static func alerts(
    _ text: String, count: Int, _ field: String
  ) throws(RPCError) -> [Int64]? {
    guard !text.isEmpty else { return nil }
    let parts = parts(text)
    let positions = parts.dropFirst().compactMap { Int64($0) }.filter { $0 >= 0 }
    guard parts[0] == "alert", parts.count == count + 1, positions.count == count else {
      throw .invalidToken(field)
    }
    return positions
  }

  /// Decodes the token of a ledger page; empty becomes `nil`.
  ///
  /// - Throws: INVALID_ARGUMENT if the token is not valid.
  static func cursor(_ text: String, _ field: String) throws(RPCError) -> LedgerPage.Cursor? {
    guard !text.isEmpty else { return nil }
    let parts = parts(text)
    guard parts.count == 2, let entry = entry(parts[0], parts[1]) else {
      throw .invalidToken(field)
    }
    return entry
  }

  /// Decodes the token of an export of all users; empty becomes `nil`.
  ///
  /// - Throws: INVALID_ARGUMENT if the token is not valid.
  static func export(_ text: String, _ field: String) throws(RPCError) -> ExportCursor? {
    guard !text.isEmpty else { return nil }
    let parts = parts(text)
    guard parts.count == 3, let userID = UUID(wireText: parts[0]),
      let entry = entry(parts[1], parts[2])
    else { throw .invalidToken(field) }
    return ExportCursor(userID: userID, entry: entry)
  }

  /// Decodes the token of a page of reservations; empty becomes `nil`.
  ///
  /// - Throws: INVALID_ARGUMENT if the token is not valid.
  static func reservation(
    _ text: String, _ field: String
  ) throws(RPCError) -> ReservationPage.Cursor? {
    guard !text.isEmpty else { return nil }
    let parts = parts(text)
    guard parts.count == 2, let createdAt = time(parts[0]), let id = UUID(wireText: parts[1])
    else { throw .invalidToken(field) }
    return ReservationPage.Cursor(createdAt: createdAt, id: id)
  }

  /// Decodes the token of a page of unresolved reservations; empty becomes `nil`.
  ///
  /// - Throws: INVALID_ARGUMENT if the token is not valid.
  static func unresolved(
    _ text: String, _ field: String
  ) throws(RPCError) -> UnresolvedPage.Cursor? {
    guard !text.isEmpty else { return nil }
    let parts = parts(text)
    guard parts.count == 3, let since = time(parts[0]), let userID = UUID(wireText: parts[1]),
      let id = UUID(wireText: parts[2])
    else { throw .invalidToken(field) }
    return UnresolvedPage.Cursor(since: since, userID: userID, id: id)
  }

  /// The microseconds since 1970 of the years 1970 to 9999.
  private static let supportedMicroseconds: Range<Int64> = 0..<253_402_300_800_000_000

  private static func microseconds(_ time: Date) -> Int64 {
    Int64((time.timeIntervalSince1970 * 1_000_000).rounded())
  }

  private static func time(_ microseconds: String) -> Date? {
    guard let number = Int64(microseconds), supportedMicroseconds.contains(number) else {
      return nil
    }
    return Date(timeIntervalSince1970: Double(number) / 1_000_000)
  }

  private static func entry(_ year: String, _ sequence: String) -> LedgerPage.Cursor? {
    guard let year = Int32(year), let sequence = Int64(sequence) else { return nil }
    return LedgerPage.Cursor(year: year, sequence: sequence)
  }

  private static func text(_ parts: String) -> String {
    Data(parts.utf8).base64EncodedString()
  }

  private static func parts(_ text: String) -> [String] {
    let decoded = Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return decoded.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
  }
}

extension RPCError {
  fileprivate static func invalidToken(_ field: String) -> RPCError {
    .invalid(field, "is not a valid token")
  }
}
