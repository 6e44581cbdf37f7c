public import FoundationEssentials
public import MockupCore

/// A query for a report on the credits of all users.
public struct UsageReportQuery: Sendable, Hashable {
  /// The budget year; nil means the current year in UTC.
  public var year: Int32?
  /// The month, from 1 to 12; nil means the current month in UTC.
  public var month: Int32?
  /// The order of the users.
  public var order: Order
  /// The only user to report; nil means all users.
  public var userID: UUID?
  /// If true, the report has only users with ledger entries or held credits in the year.
  public var onlyActive: Bool
  /// If true, the report has only users whose used and held credits exceed the month's soft limit.
  public var onlySoftLimitPassed: Bool
  /// The maximum number of available credits of the users to report; nil means any number.
  public var availableAtMost: Int64?

  /// Creates a query, which matches all users by default.
  public init(
    year: Int32? = nil, month: Int32? = nil, order: Order = .userID, userID: UUID? = nil,
    onlyActive: Bool = false, onlySoftLimitPassed: Bool = false, availableAtMost: Int64? = nil
  ) {
    self.year = year
    self.month = month
    self.order = order
    self.userID = userID
    self.onlyActive = onlyActive
    self.onlySoftLimitPassed = onlySoftLimitPassed
    self.availableAtMost = availableAtMost
  }

  /// The order of the users in a report.
  ///
  /// Users with the same figure are ordered by their ids.
  public enum Order: String, Sendable, Hashable, CaseIterable {
    /// Ascending by user id.
    case userID = "user_id"
    /// Descending by the credits used in the year.
    case used
    /// Descending by the held credits.
    case held
    /// Ascending by the available credits.
    case available
    /// Descending by the credits used in the month.
    case monthlyUsed = "monthly_used"
  }
}

/// A page of a report, with the totals of the whole report.
public struct UsageReportPage: Sendable, Hashable {
  /// The year and month of the report.
  public var period: Period
  /// The users of the page, in the order of the query.
  public var users: [UserUsage]
  /// The totals over all users that the query matches.
  public var totals: UsageTotals
  /// The cursor for the next page, or nil if this is the last page.
  public var next: Cursor?

  /// The position of the last user of a page in its report.
  public struct Cursor: PageCursor {
    /// The user's sort key; see ``UserUsage/figure``.
    public var figure: Int64
    /// The user's id.
    public var userID: UUID

    /// Creates a cursor from its parts, such as those of a page token.
    public init(figure: Int64, userID: UUID) {
      self.figure = figure
      self.userID = userID
    }

    /// Creates a cursor at a user.
    public init(_ user: UserUsage) {
      self.init(figure: user.figure, userID: user.userID)
    }
  }
}

/// A user's figures in a report.
public struct UserUsage: Sendable, Hashable {
  /// The id of the user.
  public var userID: UUID
  /// The label of the user, such as an e-mail address; nil if there is none.
  public var label: String?
  /// The user's credits in the year and month of the report.
  public var usage: Usage
  /// The number of the user's unresolved reservations of all years.
  public var unresolved: Int32
  /// The sort key of the report's order.
  ///
  /// It is the figure that the order names, negated for a descending order, or 0 for the order by
  /// id.
  public var figure: Int64
}

/// The totals of a report, in credits unless stated otherwise.
public struct UsageTotals: Sendable, Hashable {
  /// The number of users.
  public var users: Int64 = 0
  /// The sum of the annual budgets.
  public var annualBudget: Int64 = 0
  /// The credits that the year's ledger entries spent on generations.
  public var generation: Int64 = 0
  /// The credits that the year's ledger entries spent on regenerations.
  public var regeneration: Int64 = 0
  /// The credits that the year's ledger entries refunded.
  public var refund: Int64 = 0
  /// The credits that the year's open reservations hold.
  public var held: Int64 = 0
  /// The credits that the month's ledger entries spent, minus its refunds.
  public var monthlyUsed: Int64 = 0
  /// The credits that the month's open reservations hold.
  public var monthlyHeld: Int64 = 0
  /// The number of users whose used and held credits exceed the month's soft limit.
  public var usersAboveSoftLimit: Int64 = 0
  /// The number of unresolved reservations of all years.
  public var unresolved: Int64 = 0

  /// Creates totals of 0.
  public init() {}

  /// The credits that the year's ledger entries spent, minus its refunds.
  public var used: Int64 { generation + regeneration - refund }
}
