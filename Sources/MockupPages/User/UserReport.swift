public import MockupClient

/// The credits, reservations and mockups of a user, as the page of the user shows them.
public struct UserReport: Sendable {
  /// The user's id.
  public var userID: String
  /// The user's label; empty if there is none.
  public var userLabel: String
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
  /// The open reservations, the newest first, of which the sums are made.
  public var open: Part<Reservation>
  /// The pages of the lists that are shown.
  public var pages = Pages()
  /// A page of the open reservations, the newest first.
  public var reservations: Part<Reservation>
  /// A page of the ledger of the year, or of the chosen month, the newest entry first.
  public var entries: Part<CreditUsageEntry>
  /// A page of the mockups, the newest first.
  public var mockups: Part<Mockup>

  /// A part of a list.
  public struct Part<Element: Sendable>: Sendable {
    /// The elements.
    public var elements: [Element]
    /// The page token of the elements after this part; empty if there are none.
    public var nextToken: String

    /// Creates a part.
    public init(_ elements: [Element], nextToken: String = "") {
      self.elements = elements
      self.nextToken = nextToken
    }
  }

  /// The pages of the lists that a report shows.
  public struct Pages: Sendable {
    /// The page of the open reservations.
    public var reservations: PagePath
    /// The page of the ledger.
    public var ledger: PagePath
    /// The page of the mockups.
    public var mockups: PagePath

    /// Creates the pages, the first of each list unless others are given.
    public init(
      reservations: PagePath = PagePath(), ledger: PagePath = PagePath(),
      mockups: PagePath = PagePath()
    ) {
      self.reservations = reservations
      self.ledger = ledger
      self.mockups = mockups
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
