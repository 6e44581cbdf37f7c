/// An estimate of the day on which a user's credits run out.
public enum Forecast: Sendable, Hashable {
  /// The user has no budget.
  case noBudget
  /// No credits are available.
  case exhausted
  /// The user has spent nothing in the last days, so that there is no rate.
  case idle
  /// Credits are left at the end of the year, when the budget is renewed.
  case lasts(left: Int64)
  /// No credits are available after this day.
  case runsOut(Day)

  /// The number of days whose use is continued into the future.
  public static let days = 30

  /// Creates a forecast that continues the use of the last days.
  ///
  /// - Parameters:
  ///   - budget: The budget of the year, in credits.
  ///   - available: The credits that are available now.
  ///   - spent: The credits that were spent in the last ``days`` days, refunds subtracted.
  ///   - today: The current day.
  public init(budget: Int64, available: Int64, spent: Int64, today: Day) {
    guard budget > 0 else {
      self = .noBudget
      return
    }
    guard available > 0 else {
      self = .exhausted
      return
    }
    guard spent > 0 else {
      self = .idle
      return
    }
    let end = Day(year: today.year, month: 12, day: 31)
    let daysLeft = Int64(end.number - today.number)
    let days = Int64(Self.days)
    let (periods, over) = available.quotientAndRemainder(dividingBy: spent)
    // 20 periods of 30 days are more than a year.
    let lasting =
      min(periods, 20) * days
      + spent.dividingFullWidth(over.multipliedFullWidth(by: days)).quotient
    guard lasting > daysLeft else {
      self = .runsOut(today.advanced(by: Int(lasting)))
      return
    }
    // The use of the remaining days is less than the available credits, so nothing overflows.
    let (whole, rest) = spent.quotientAndRemainder(dividingBy: days)
    self = .lasts(left: available - whole * daysLeft - (rest * daysLeft + days - 1) / days)
  }

  /// The day on which the credits run out; `nil` if they last or there is no estimate.
  public var day: Day? {
    if case .runsOut(let day) = self { return day }
    return nil
  }

  /// The forecast as a sentence.
  func sentence(spent: Int64) -> String {
    let rate = Display.decimal(Double(spent) / Double(Self.days))
    switch self {
    case .noBudget: return "This user has no budget."
    case .exhausted: return "No credits are available."
    case .idle: return "No credits were spent in the last \(Self.days) days."
    case .lasts(let left):
      return "Lasts to the end of the year, with \(Display.count(left, "credit")) left, "
        + "at the last \(Self.days) days\u{2019} rate of \(rate) a day."
    case .runsOut(let day):
      return "Out on \(day.text) at the last \(Self.days) days\u{2019} rate of \(rate) a day."
    }
  }

  /// The forecast as a cell of a table.
  var cell: String {
    switch self {
    case .noBudget: "no budget"
    case .exhausted: "exhausted"
    case .idle: "no use in \(Self.days) days"
    case .lasts: "lasts the year"
    case .runsOut(let day): day.shortText
    }
  }
}
