public import MockupAPI
public import TTRPC

/// A report on the credits of all users, one user at a time, fetched page by page.
public struct UsageReport: AsyncSequence, Sendable {
  /// The credits of one user.
  public typealias Element = UserUsage

  let admin: Admin
  let request: GetUsageReportRequest

  /// Fetches the current totals over all users of the report.
  public func totals() async throws(RPCError) -> UsageTotals {
    var request = request
    request.pageSize = 1
    return try await admin.stub.getUsageReport(request, options: admin.options).totals
      ?? UsageTotals()
  }

  /// The report one page at a time, each page with the totals over all users.
  public var pages: PagedList<GetUsageReportResponse> {
    PagedList { token throws(RPCError) in
      let page = try await page(after: token)
      return ([page], page.nextPageToken)
    }
  }

  /// Creates an iterator that starts at the first user.
  public func makeAsyncIterator() -> PagedList<UserUsage>.Iterator {
    let users = PagedList { token throws(RPCError) in
      let page = try await page(after: token)
      return (page.users, page.nextPageToken)
    }
    return users.makeAsyncIterator()
  }

  private func page(after token: String) async throws(RPCError) -> GetUsageReportResponse {
    var request = request
    request.pageToken = token
    return try await admin.stub.getUsageReport(request, options: admin.options)
  }
}
