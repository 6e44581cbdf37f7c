public import FoundationEssentials
public import Mockups

/// What a report on all users is asked for.
public struct UsageReportQuery: Sendable, Hashable {
  /// `nil`: this one.
  public var year: Int32?
  /// `nil`: this one's number.
  public var month: Int32?
  public var order: Order
  /// Only this user; `nil`: all.
  public var userID: UUID?
  /// Only users who used or hold something in the year.
  public var onlyActive: Bool
  /// Only users whose month is above its soft limit.
  public var onlySoftLimitPassed: Bool
  /// Only users with at most so many credits available; `nil`: all.
  public var availableAtMost: Int64?

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

  /// Who comes first. Users of the same figure are in the order of their ids.
  public enum Order: String, Sendable, Hashable, CaseIterable {
    case userID = "user_id"
    /// Who has used most of the year.
    case used
    /// Who holds most.
    case held
    /// Who has least left.
    case available
    /// Who has used most of the month.
    case monthlyUsed = "monthly_used"
  }
}

/// A page of a report, and the totals of all that it is about.
public struct UsageReportPage: Sendable, Hashable {
  public var period: Period
  public var users: [UserUsage]
  public var totals: UsageTotals
  /// Where the next page begins, if there is one.
  public var next: Cursor?

  /// The last user of a page.
  public struct Cursor: Sendable, Hashable {
    /// What the order goes by, so that it ascends.
    public var figure: Int64
    public var userID: UUID

    public init(figure: Int64, userID: UUID) {
      self.figure = figure
      self.userID = userID
    }

    public init(_ user: UserUsage) {
      self.init(figure: user.figure, userID: user.userID)
    }
  }
}

/// A user's line in a report.
public struct UserUsage: Sendable, Hashable {
  public var userID: UUID
  public var usage: Usage
  /// Reservations, of any year, of which nobody knows whether the vendor charged.
  public var unresolved: Int32
  /// What the report's order goes by, so that it ascends.
  public var figure: Int64
}

/// What a report's lines come to.
public struct UsageTotals: Sendable, Hashable {
  public var users: Int64 = 0
  public var annualBudget: Int64 = 0
  public var generation: Int64 = 0
  public var regeneration: Int64 = 0
  public var refund: Int64 = 0
  public var held: Int64 = 0
  public var monthlyUsed: Int64 = 0
  public var monthlyHeld: Int64 = 0
  public var usersAboveSoftLimit: Int64 = 0
  public var unresolved: Int64 = 0

  public init() {}

  /// What the year has spent, refunds subtracted.
  public var used: Int64 { generation + regeneration - refund }
}
