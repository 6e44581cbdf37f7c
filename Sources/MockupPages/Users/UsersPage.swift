public import MockupClient

/// The page of all users, nearest to exhaustion first.
public struct UsersPage: Sendable {
  /// A user with the credits spent lately, from which the forecast is made.
  public struct User: Sendable {
    /// The user's line of the usage report.
    public var line: UserUsage
    /// The credits spent in the last ``Forecast/days`` days, refunds subtracted.
    ///
    /// It is `nil` if the report is not on the current year: there is no forecast then.
    public var spent: Int64?

    /// Creates a user.
    public init(line: UserUsage, spent: Int64?) {
      self.line = line
      self.spent = spent
    }
  }

  /// The users of the page.
  public var users: [User]
  /// The totals of all users, or of the user whose id was searched for.
  public var totals: UsageTotals
  /// The page token of the next page; empty on the last page, and for a search.
  public var nextToken: String
  /// A Boolean value that indicates whether a search has found more users than the page has.
  public var isCut: Bool
  /// The query that the page answers.
  public var query: UsersQuery
  /// The current day.
  public var today: Day

  /// Creates the page.
  public init(
    users: [User], totals: UsageTotals, nextToken: String, isCut: Bool = false, query: UsersQuery,
    today: Day
  ) {
    self.users = users
    self.totals = totals
    self.nextToken = nextToken
    self.isCut = isCut
    self.query = query
    self.today = today
  }

  /// The title of the page.
  public static let title = "Users"

  /// Returns the page as HTML.
  public func html(in frame: PageFrame) -> String {
    Templates.render(UsersModel(self, frame), with: "users")
  }

  /// The users of the page as comma-separated values, with a header line.
  public var csv: String {
    let header: [CSV.Value] = [
      "user_id", "user_label", "annual_budget", "total_used", "held", "remaining_annual", "month",
      "monthly_used", "monthly_held", "monthly_soft_limit", "unresolved_reservations",
      "spent_in_\(Forecast.days)_days", "runs_out_on",
    ].map { .text($0) }
    return CSV.line(header) + users.map { CSV.line(record($0)) }.joined()
  }

  private func record(_ user: User) -> [CSV.Value] {
    let usage = user.line.usage ?? CreditUsage()
    return [
      .text(user.line.userID), .text(user.line.userLabel), .number(usage.annualBudget),
      .number(usage.totalUsed),
      .number(usage.held), .number(usage.remainingAnnual),
      .text("\(usage.year)-\(Day.padded(Int(usage.month), to: 2))"),
      .number(usage.monthlyUsed), .number(usage.monthlyHeld), .number(usage.monthlySoftLimit),
      .number(Int64(user.line.unresolvedReservations)),
      user.spent.map { .number($0) } ?? .nothing,
      (forecast(user)?.day).map { .text($0.isoText) } ?? .nothing,
    ]
  }

  /// The forecast for a user; `nil` if the page is not on the current year.
  func forecast(_ user: User) -> Forecast? {
    guard let spent = user.spent else { return nil }
    let usage = user.line.usage ?? CreditUsage()
    return Forecast(
      budget: usage.annualBudget, available: usage.annualBudget - usage.totalUsed - usage.held,
      spent: spent, today: today)
  }
}
