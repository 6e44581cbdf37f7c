internal import MockupDatabase
internal import MockupCore

/// The page token of a usage report.
///
/// It has the last user of the previous page, and the report's order and period. The period keeps
/// the pages in one report when a month ends between two of them.
struct UsageReportToken {
  var order: UsageReportQuery.Order
  var period: Period
  var cursor: UsageReportPage.Cursor
}
