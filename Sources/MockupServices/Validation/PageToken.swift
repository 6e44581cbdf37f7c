internal import FoundationEssentials
internal import MockupAPI
internal import MockupCore
internal import MockupDatabase
internal import TTRPC

/// The encoding of page and resume tokens, which are opaque to clients.
///
/// A token is base64 of several parts, which are separated by slashes: the list that it continues,
/// the user whose list it is, and the position. Each decoding function returns `nil` for an empty
/// token. It throws INVALID_ARGUMENT for a token that is not valid, or that belongs to another list
/// or another user.
enum PageToken {
  /// A list, an export or a watch, which has tokens of its own.
  private enum List: String {
    case alerts, alertWatch, export, exportOfAll, ledger, mockups, mockupWatch, reservations, scenes
    case unresolved, usageReport
  }

  static func text(_ cursor: LedgerCursor, of userID: UUID) -> String {
    encode(.ledger, of: userID, "\(cursor.year)/\(cursor.sequence)")
  }

  /// Decodes the token of a ledger page.
  static func ledger(
    _ text: String, of userID: UUID, _ field: String
  ) throws(RPCError) -> LedgerCursor? {
    try decode(text, .ledger, of: userID, count: 2, field) { entry($0[0], $0[1]) }
  }

  static func text(export cursor: LedgerCursor, of userID: UUID) -> String {
    encode(.export, of: userID, "\(cursor.year)/\(cursor.sequence)")
  }

  /// Decodes the token of an export of one user.
  static func export(
    _ text: String, of userID: UUID, _ field: String
  ) throws(RPCError) -> LedgerCursor? {
    try decode(text, .export, of: userID, count: 2, field) { entry($0[0], $0[1]) }
  }

  static func text(_ cursor: ExportCursor) -> String {
    encode(
      .exportOfAll, "\(cursor.userID.wireText)/\(cursor.entry.year)/\(cursor.entry.sequence)")
  }

  /// Decodes the token of an export of all users.
  static func export(_ text: String, _ field: String) throws(RPCError) -> ExportCursor? {
    try decode(text, .exportOfAll, count: 3, field) { parts in
      guard let userID = UUID(wireText: parts[0]), let entry = entry(parts[1], parts[2])
      else { return nil }
      return ExportCursor(userID: userID, entry: entry)
    }
  }

  static func text(_ cursor: ReservationCursor, of userID: UUID) -> String {
    encode(.reservations, of: userID, "\(microseconds(cursor.createdAt))/\(cursor.id.wireText)")
  }

  /// Decodes the token of a page of reservations.
  static func reservation(
    _ text: String, of userID: UUID, _ field: String
  ) throws(RPCError) -> ReservationCursor? {
    try decode(text, .reservations, of: userID, count: 2, field) { parts in
      guard let createdAt = time(parts[0]), let id = UUID(wireText: parts[1]) else { return nil }
      return ReservationCursor(createdAt: createdAt, id: id)
    }
  }

  static func text(_ cursor: MockupCursor, of userID: UUID) -> String {
    encode(.mockups, of: userID, "\(microseconds(cursor.createdAt))/\(cursor.id.wireText)")
  }

  /// Decodes the token of a page of mockups.
  static func mockup(
    _ text: String, of userID: UUID, _ field: String
  ) throws(RPCError) -> MockupCursor? {
    try decode(text, .mockups, of: userID, count: 2, field) { parts in
      guard let createdAt = time(parts[0]), let id = UUID(wireText: parts[1]) else { return nil }
      return MockupCursor(createdAt: createdAt, id: id)
    }
  }

  static func text(_ cursor: UnresolvedCursor) -> String {
    encode(
      .unresolved,
      "\(microseconds(cursor.since))/\(cursor.userID.wireText)/\(cursor.id.wireText)")
  }

  /// Decodes the token of a page of unresolved reservations.
  static func unresolved(
    _ text: String, _ field: String
  ) throws(RPCError) -> UnresolvedCursor? {
    try decode(text, .unresolved, count: 3, field) { parts in
      guard let since = time(parts[0]), let userID = UUID(wireText: parts[1]),
        let id = UUID(wireText: parts[2])
      else { return nil }
      return UnresolvedCursor(since: since, userID: userID, id: id)
    }
  }

  static func text(_ cursor: SceneCursor, of userID: UUID?) -> String {
    // The key comes last, because keys in old data may contain any character.
    encode(.scenes, of: userID, "\(cursor.isSystem ? 1 : 0)/\(cursor.id.wireText)/\(cursor.key)")
  }

  /// Decodes the token of a page of scene templates.
  static func scene(
    _ text: String, of userID: UUID?, _ field: String
  ) throws(RPCError) -> SceneCursor? {
    try decode(text, .scenes, of: userID, count: 3, field) { parts in
      guard ["0", "1"].contains(parts[0]), let id = UUID(wireText: parts[1]),
        !parts[2].utf8.contains(0)
      else { return nil }
      return SceneCursor(key: parts[2], isSystem: parts[0] == "1", id: id)
    }
  }

  static func text(_ token: UsageReportToken) -> String {
    let (period, cursor) = (token.period, token.cursor)
    return encode(
      .usageReport,
      "\(token.order.rawValue)/\(period.year)/\(period.month)/\(cursor.figure)"
        + "/\(cursor.userID.wireText)")
  }

  /// Decodes the token of a page of a usage report.
  static func usageReport(_ text: String, _ field: String) throws(RPCError) -> UsageReportToken? {
    try decode(text, .usageReport, count: 5, field) { parts in
      guard let order = UsageReportQuery.Order(rawValue: parts[0]), let year = Int32(parts[1]),
        let month = Int32(parts[2]), (1...9999).contains(year), (1...12).contains(month),
        let figure = Int64(parts[3]), let userID = UUID(wireText: parts[4])
      else { return nil }
      return UsageReportToken(
        order: order, period: Period(year: year, month: month),
        cursor: UsageReportPage.Cursor(figure: figure, userID: userID))
    }
  }

  /// Encodes the positions of alerts, one for each partition, or the one of a user's alerts.
  static func text(alerts positions: [Int64], of userID: UUID?) -> String {
    encode(.alerts, of: userID, positions.map(String.init).joined(separator: "/"))
  }

  /// Decodes the token of a page of alerts.
  ///
  /// - Parameter count: The number of positions that the token must have.
  static func alerts(
    _ text: String, of userID: UUID?, count: Int, _ field: String
  ) throws(RPCError) -> [Int64]? {
    try decode(text, .alerts, of: userID, count: count, field, positions)
  }

  /// Encodes the positions of a watch of alerts, one for each partition.
  static func text(alertWatch positions: [Int64]) -> String {
    encode(.alertWatch, positions.map(String.init).joined(separator: "/"))
  }

  /// Decodes the token of a watch of alerts.
  ///
  /// - Parameter count: The number of positions that the token must have.
  static func alertWatch(
    _ text: String, count: Int, _ field: String
  ) throws(RPCError) -> [Int64]? {
    try decode(text, .alertWatch, count: count, field, positions)
  }

  /// Encodes the revision of a user's mockups that a watch has reached.
  static func text(_ revision: Int64, of userID: UUID) -> String {
    encode(.mockupWatch, of: userID, "\(revision)")
  }

  /// Decodes the revision after which a watch continues.
  static func revision(
    _ text: String, of userID: UUID, _ field: String
  ) throws(RPCError) -> Int64? {
    try decode(text, .mockupWatch, of: userID, count: 1, field) { positions($0)?.first }
  }

  private static func positions(_ parts: [String]) -> [Int64]? {
    let positions = parts.compactMap { Int64($0) }.filter { $0 >= 0 }
    return positions.count == parts.count ? positions : nil
  }

  private static func entry(_ year: String, _ sequence: String) -> LedgerCursor? {
    guard let year = Int32(year), let sequence = Int64(sequence) else { return nil }
    return LedgerCursor(year: year, sequence: sequence)
  }

  /// The microseconds since 1970 that a token may have.
  ///
  /// The columns have no limits besides those of `timestamptz`, which begins in 4713 BC and ends
  /// after the last time that 64 bits can represent.
  private static let storableMicroseconds = -210_863_520_000_000_000...Int64.max

  private static func microseconds(_ time: Date) -> Int64 {
    Int64(exactly: (time.timeIntervalSince1970 * 1_000_000).rounded()) ?? .max
  }

  private static func time(_ microseconds: String) -> Date? {
    guard let number = Int64(microseconds), storableMicroseconds.contains(number) else {
      return nil
    }
    return Date(timeIntervalSince1970: Double(number) / 1_000_000)
  }

  private static func encode(
    _ list: List, of userID: UUID? = nil, _ position: String
  ) -> String {
    Data("\(list.rawValue)/\(userID?.wireText ?? "")/\(position)".utf8).base64EncodedString()
  }

  /// Decodes a token whose position has a number of parts, of which the last may contain slashes.
  private static func decode<Value>(
    _ text: String, _ list: List, of userID: UUID? = nil, count: Int, _ field: String,
    _ read: (_ position: [String]) -> Value?
  ) throws(RPCError) -> Value? {
    guard !text.isEmpty else { return nil }
    // By bytes, because a slash and a combining character after it are one `Character`.
    let parts = (Data(base64Encoded: text) ?? Data()).split(
      separator: UInt8(ascii: "/"), maxSplits: count + 1, omittingEmptySubsequences: false
    ).map { String(decoding: $0, as: UTF8.self) }
    if List(rawValue: parts[0]) != nil {
      guard parts[0] == list.rawValue else { throw .invalid(field, "belongs to another list") }
      guard parts.count > 1, parts[1] == userID?.wireText ?? "" else {
        throw .invalid(field, "belongs to another user")
      }
      if parts.count == count + 2, let value = read(Array(parts.dropFirst(2))) { return value }
    }
    throw .invalid(field, "is not a valid token")
  }
}
