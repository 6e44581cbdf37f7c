internal import FoundationEssentials
internal import MockupAPI
internal import MockupStore
internal import Mockups
internal import TTRPC

/// Where a report goes on: the last user of the page before, and what the report is about, so that its
/// pages stay those of one report over the turn of a month.
struct UsageReportToken: Equatable {
  var order: UsageReportQuery.Order
  var period: Period
  var cursor: UsageReportPage.Cursor

  /// Nothing after the last page.
  init?(after page: UsageReportPage, of query: UsageReportQuery) {
    guard let next = page.next else { return nil }
    order = query.order
    period = page.period
    cursor = next
  }

  /// As a text that means something to this server only.
  var text: String {
    let parts = [
      order.rawValue, "\(period.year)", "\(period.month)", "\(cursor.figure)",
      cursor.userID.wireText,
    ]
    return Data(parts.joined(separator: "/").utf8).base64EncodedString()
  }

  /// - Throws: INVALID_ARGUMENT for a text that this server did not make.
  init(_ text: String, _ field: String) throws(RPCError) {
    let decoded = Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let parts = decoded.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 5, let order = UsageReportQuery.Order(rawValue: parts[0]),
      let year = Int32(parts[1]), let month = Int32(parts[2]), (1...9999).contains(year),
      (1...12).contains(month), let figure = Int64(parts[3]), let userID = UUID(wireText: parts[4])
    else { throw .invalid(field, "is no token of this server") }
    self.order = order
    period = Period(year: year, month: month)
    cursor = UsageReportPage.Cursor(figure: figure, userID: userID)
  }
}
