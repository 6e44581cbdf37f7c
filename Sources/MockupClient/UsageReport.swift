public import MockupAPI
public import TTRPC

/// All users' credits, a user at a time. Iterating fetches them page by page.
public struct UsageReport: AsyncSequence, Sendable {
  public typealias Element = UserUsage

  /// How many users are fetched at a time.
  static let pageSize: Int32 = 500

  let admin: Admin
  let request: GetUsageReportRequest

  /// What all of its lines come to, now.
  public func totals() async throws(RPCError) -> UsageTotals {
    var request = request
    request.pageSize = 1
    return try await admin.stub.getUsageReport(request, options: admin.options).totals
      ?? UsageTotals()
  }

  /// The same a page at a time, each with the totals of all.
  public var pages: Pages { Pages(report: self) }

  public func makeAsyncIterator() -> Iterator {
    Iterator(pages: pages.makeAsyncIterator())
  }

  public struct Iterator: AsyncIteratorProtocol {
    private var pages: Pages.Iterator
    private var page: ArraySlice<UserUsage> = []

    fileprivate init(pages: Pages.Iterator) {
      self.pages = pages
    }

    /// The next user, or nothing at the end.
    ///
    /// - Throws: ``RPCError`` where a page cannot be fetched.
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
    public typealias Element = GetUsageReportResponse

    fileprivate let report: UsageReport

    public func makeAsyncIterator() -> Iterator {
      Iterator(report: report)
    }

    public struct Iterator: AsyncIteratorProtocol {
      private let report: UsageReport
      private var token: String? = ""

      fileprivate init(report: UsageReport) {
        self.report = report
      }

      /// The next page, or nothing after the last.
      ///
      /// - Throws: ``RPCError`` where it cannot be fetched.
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
