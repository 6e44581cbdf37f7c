internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

/// The page token of a usage report.
///
/// It has the last user of the previous page, and the report's order and period. The period keeps
/// the pages in one report when a month ends between two of them.
struct UsageReportToken: Equatable {
  var order: UsageReportQuery.Order
  var period: Period
  var cursor: UsageReportPage.Cursor

  /// Creates the token for the page after `page`, or `nil` if `page` is the last one.
  init?(after page: UsageReportPage, of query: UsageReportQuery) {
    guard let next = page.next else { return nil }
    order = query.order
    period = page.period
    cursor = next
  }

  /// The encoded token, which is opaque to clients.
  var text: String {
    let parts = [
      order.rawValue, "\(period.year)", "\(period.month)", "\(cursor.figure)",
      cursor.userID.wireText,
    ]
    return Data(parts.joined(separator: "/").utf8).base64EncodedString()
  }

  /// Decodes a token.
  ///
  /// - Throws: INVALID_ARGUMENT if the token is not valid.
  init(_ text: String, _ field: String) throws(RPCError) {
    let decoded = Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let parts = decoded.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 5, let order = UsageReportQuery.Order(rawValue: parts[0]),
      let year = Int32(parts[1]), let month = Int32(parts[2]), (1...9999).contains(year),
      (1...12).contains(month), let figure = Int64(parts[3]), let userID = UUID(wireText: parts[4])
    else { throw .invalid(field, "is not a valid token") }
    self.order = order
    period = Period(year: year, month: month)
    cursor = UsageReportPage.Cursor(figure: figure, userID: userID)
  }
}
