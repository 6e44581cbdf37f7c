public import MockupClient

/// The credits, reservations and mockups of a user, as the page of the user shows them.
public struct UserReport: Sendable {
  /// The user's id.
  public var userID: String
  /// The user's credits in the year and in the current or the chosen month.
  public var usage: GetCreditUsageResponse
  /// The year of the report.
  public var year: Int
  /// The month that is shown by day, 1 to 12; `nil` if none was chosen.
  public var month: Int?
  /// The time of the report.
  public var now: Timestamp
  /// The credits of each day of the year.
  public var days: [UsageInterval]
  /// The credits of each month of the year.
  public var months: [UsageInterval]
  /// The credits that the reservations of each month hold.
  public var monthlyHeld: [Int64]
  /// The credits spent in the last ``Forecast/days`` days, refunds subtracted; `nil` if the year is
  /// not the current one.
  public var spent: Int64?
  /// The open reservations, the newest first.
  public var open: Part<Reservation>
  /// The ledger of the year, or of the chosen month, the newest entry first.
  public var entries: Part<CreditUsageEntry>
  /// The mockups, the newest first.
  public var mockups: Part<Mockup>

  /// The first elements of a list.
  public struct Part<Element: Sendable>: Sendable {
    /// The elements.
    public var elements: [Element]
    /// A Boolean value that indicates whether the list has more elements.
    public var hasMore: Bool

    /// Creates a part.
    public init(_ elements: [Element], hasMore: Bool = false) {
      self.elements = elements
      self.hasMore = hasMore
    }
  }

  /// The current day.
  var today: Day { Day(now) }

  /// The available credits, which are negative after the budget was lowered.
  var available: Int64 { usage.annualBudget - usage.totalUsed - usage.held }

  /// The forecast; `nil` if the year is not the current one.
  var forecast: Forecast? {
    spent.map {
      Forecast(budget: usage.annualBudget, available: available, spent: $0, today: today)
    }
  }

  /// The credits left in the course of the year.
  var burnDown: BurnDownPlot {
    BurnDownPlot(
      year: year, budget: usage.annualBudget, used: days.map(\.used), held: usage.held,
      today: today, forecast: forecast)
  }
}
