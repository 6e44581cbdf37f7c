internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import MockupClient
internal import MockupPages

/// The page of all users.
struct UsersRoutes: Sendable {
  let client: MockupClient

  /// The number of users on a page.
  private static let pageSize = 50
  /// The maximum number of users that a search compares.
  private static let maximumSearched = 20_000

  func add(to router: Router<ConsoleContext>) {
    router.get("/") { request, context in
      let fields = try FormFields(request.uri.query ?? "")
      let page = try await page(fields)
      if fields["format"] == "csv" { return Response.csv(page.csv, name: "users") }
      return .page(
        page.html(in: .page(UsersPage.title, in: .users, identity: context.visitor?.name)))
    }
  }

  private func page(_ fields: FormFields) async throws -> UsersPage {
    let today = Day.today
    let query = UsersQuery(
      year: try fields.number("year", in: 1...9999) ?? today.year,
      month: try fields.number("month", in: 1...12) ?? today.month,
      order: try order(fields["sort"]), search: fields["q"] ?? "",
      path: PagePath(fields["page"] ?? ""))
    let response = try await lines(query)
    let isCurrent = query.year == today.year
    return UsersPage(
      users: try await users(
        Array(response.users.prefix(Self.pageSize)), today: isCurrent ? today : nil),
      totals: response.totals ?? UsageTotals(), nextToken: response.nextPageToken,
      isCut: response.users.count > Self.pageSize, query: query, today: today)
  }

  /// Returns the lines of the report that the query selects.
  private func lines(_ query: UsersQuery) async throws -> GetUsageReportResponse {
    guard !query.search.isEmpty, UUID(wireText: query.search) == nil else {
      return try await client.admin.usageReportPage(
        year: query.year, month: query.month, order: query.order.usageOrder,
        user: UUID(wireText: query.search), count: Self.pageSize, after: query.path.token)
    }
    return try await search(query)
  }

  /// Returns the users whose ids begin with the text that is searched for, or whose labels contain
  /// it, in upper or lower case.
  ///
  /// The totals stay those of all users. At most ``maximumSearched`` users are compared.
  private func search(_ query: UsersQuery) async throws -> GetUsageReportResponse {
    let text = query.search.lowercased()
    let report = try client.admin.usageReport(
      year: query.year, month: query.month, order: query.order.usageOrder)
    var result = GetUsageReportResponse()
    var compared = 0
    for try await page in report.pages {
      if compared == 0 { result.totals = page.totals }
      result.users += page.users.filter {
        $0.userID.hasPrefix(text) || $0.userLabel.lowercased().contains(text)
      }
      compared += page.users.count
      // One more than the page shows tells that there are others.
      guard result.users.count <= Self.pageSize, compared < Self.maximumSearched else { break }
    }
    return result
  }

  /// Adds the credits of the last days to users, if the report is on the current year.
  private func users(_ lines: [UserUsage], today: Day?) async throws -> [UsersPage.User] {
    guard let today else { return lines.map { UsersPage.User(line: $0, spent: nil) } }
    return try await withThrowingTaskGroup(of: (Int, Int64).self) { group in
      for (index, line) in lines.enumerated() {
        guard let user = UUID(wireText: line.userID) else { continue }
        group.addTask { (index, try await UserReport.spent(client, user, until: today)) }
      }
      var users = lines.map { UsersPage.User(line: $0, spent: nil) }
      for try await (index, spent) in group { users[index].spent = spent }
      return users
    }
  }

  private func order(_ name: String?) throws(Failure) -> UsersQuery.Order {
    guard let name else { return .available }
    guard let order = UsersQuery.Order(rawValue: name) else {
      throw .badRequest("\u{201C}\(name)\u{201D} is not an order of users")
    }
    return order
  }
}

extension Day {
  /// The current day.
  static var today: Day {
    Day(number: Int((Date().timeIntervalSince1970 / 86_400).rounded(.down)))
  }
}
