public import MockupAPI
public import TTRPC

/// A report on the credits of all users, one user at a time, fetched page by page.
public struct UsageReport: AsyncSequence, Sendable {
  /// The credits of one user.
  public typealias Element = UserUsage

  /// The number of users that are fetched at a time.
  static let pageSize: Int32 = 500

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
  public var pages: Pages { Pages(report: self) }

  /// Creates an iterator that starts at the first user.
  public func makeAsyncIterator() -> Iterator {
    Iterator(pages: pages.makeAsyncIterator())
  }

  /// The iterator of a report, which fetches the next page when it needs one.
  public struct Iterator: AsyncIteratorProtocol {
    private var pages: Pages.Iterator
    private var page: ArraySlice<UserUsage> = []

    fileprivate init(pages: Pages.Iterator) {
      self.pages = pages
    }

    /// Returns the next user's credits, or `nil` at the end.
    ///
    /// - Throws: `RPCError` if a page cannot be fetched.
    public mutating func next() async throws -> UserUsage? {
      while page.isEmpty {
        guard let response = try await pages.next() else { return nil }
        page = response.users[...]
      }
      return page.popFirst()
    }
  }

  /// The pages of a report.
  public struct Pages: AsyncSequence, Sendable {
    /// One page of the report.
    public typealias Element = GetUsageReportResponse

    fileprivate let report: UsageReport

    /// Creates an iterator that starts at the first page.
    public func makeAsyncIterator() -> Iterator {
      Iterator(report: report)
    }

    /// The iterator of a report's pages, which fetches a page for each element.
    public struct Iterator: AsyncIteratorProtocol {
      private let report: UsageReport
      private var token: String? = ""

      fileprivate init(report: UsageReport) {
        self.report = report
      }

      /// Returns the next page, or `nil` after the last one.
      ///
      /// - Throws: `RPCError` if the page cannot be fetched.
      public mutating func next() async throws -> GetUsageReportResponse? {
        guard let token else { return nil }
        var request = report.request
        request.pageToken = token
        let response = try await report.admin.stub.getUsageReport(
          request, options: report.admin.options)
        self.token = response.nextPageToken.isEmpty ? nil : response.nextPageToken
        return response
      }
    }
  }
}
