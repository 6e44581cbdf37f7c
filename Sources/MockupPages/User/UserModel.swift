internal import MockupClient

/// The values that the template of a user's page shows.
struct UserModel {
  struct Link {
    var address: String
    var text: String
  }

  struct YearRow {
    var monthName: String
    var left: String
    var plan: String
    var difference: String
    var isBehind: Bool
  }

  struct MonthRow {
    var monthName: String
    var address: String?
    var isChosen: Bool
    var generation: String
    var regeneration: String
    var refund: String
    var used: String
    var held: String
    var over: String
    var isOver: Bool
  }

  struct HoldRow {
    var age: String
    var reservations: String
    var held: String
    var dispatched: String
    var unresolved: String
    var credits: String
    var bar: String
  }

  var frame: PageFrame
  var userID: String
  var shortID: String
  var yearText: String
  var years: [Link]
  var lead: String
  var isWarning: Bool
  var facts: [Fact]
  var burnDown: String
  var yearRows: [YearRow]
  var monthsPlot: String
  var monthRows: [MonthRow]
  var monthsSentence: String
  var chosen: ChosenMonth?
  var stuck: String?
  var links: Links?
  var holdRows: [HoldRow]
  var hasHolds: Bool
  var holdsSentence: String
  var reservations: [ReservationRow]
  var entriesTitle: String
  var entries: [EntryRow]
  var hasEntries: Bool
  var moreEntries: String?
  var mockups: [MockupRow]
  var hasMockups: Bool
  var moreMockups: String?

  /// The links to the tables as files.
  struct Links {
    var days: String
    var months: String
    var reservations: String
    var ledger: String
    var mockups: String
    var wholeYear: String
  }

  init(_ report: UserReport, _ frame: PageFrame, _ form: UserPage.Form) {
    let usage = report.usage
    let plot = report.burnDown
    let isPage = form == .page
    self.frame = frame
    userID = report.userID
    shortID = Display.short(report.userID)
    yearText = String(report.year)
    years =
      isPage
      ? [report.year - 1, report.year + 1].filter { (1...report.today.year).contains($0) }.map {
        Link(address: report.address(year: $0), text: String($0))
      } : []
    let forecast = report.forecast
    lead =
      report.spent.flatMap { spent in forecast?.sentence(spent: spent) }
      ?? "\(Display.number(usage.totalUsed)) of \(Display.count(usage.annualBudget, "credit")) "
      + "used in \(report.year)."
    isWarning = forecast == .exhausted || forecast == .noBudget
    facts = Fact.all(report)
    burnDown = plot.markup
    yearRows = Self.yearRows(plot)
    let months = zip(report.months, report.monthlyHeld).map {
      MonthsPlot.Month(used: $0.used, held: $1)
    }
    monthsPlot =
      MonthsPlot(year: report.year, months: months, softLimit: usage.monthlySoftLimit).markup
    monthRows = Self.monthRows(report, isPage: isPage)
    let above = months.filter { $0.used + $0.held > usage.monthlySoftLimit }.count
    monthsSentence =
      "The soft limit is \(Display.count(usage.monthlySoftLimit, "credit")) a month; "
      + (above == 0 ? "no month is" : above == 1 ? "1 month is" : "\(above) months are")
      + " above it."
    chosen = report.month.map { ChosenMonth(report, month: $0) }
    let unresolved = report.open.elements.filter { $0.state == .unresolved }
    stuck =
      unresolved.isEmpty
      ? nil
      : "\(Display.count(Int64(unresolved.count), "reservation")) unresolved, holding "
        + Display.count(unresolved.reduce(0) { $0 + Int64($1.held) }, "credit")
    links = isPage ? Links(report) : nil
    let holds = HoldsPlot(report.open.elements.compactMap { HoldsPlot.Hold($0, report.now) })
    holdRows = Self.holdRows(holds)
    hasHolds = !report.open.elements.isEmpty
    holdsSentence = Self.holdsSentence(report)
    reservations = report.open.elements.prefix(50).map {
      ReservationRow($0, report.now, isPage: isPage)
    }
    entriesTitle =
      report.month.map { "Ledger of \(Day.monthNames[$0 - 1]) \(report.year)" }
      ?? "Ledger of \(report.year)"
    entries = report.entries.elements.map { EntryRow($0) }
    hasEntries = !entries.isEmpty
    moreEntries =
      report.entries.hasMore
      ? "The newest \(entries.count) entries; choose a month for others." : nil
    mockups = report.mockups.elements.map { MockupRow($0, isPage: isPage) }
    hasMockups = !mockups.isEmpty
    moreMockups = report.mockups.hasMore ? "The newest \(mockups.count) mockups." : nil
  }

  private static func yearRows(_ plot: BurnDownPlot) -> [YearRow] {
    let left = plot.left
    return zip(plot.monthEnds, Day.monthNames).map { days, name in
      let plan = Display.rounded(plot.plan(after: days))
      guard days <= left.count else {
        return YearRow(
          monthName: name, left: "–", plan: Display.number(plan), difference: "–", isBehind: false)
      }
      let difference = left[days - 1] - plan
      return YearRow(
        monthName: name, left: Display.number(left[days - 1]), plan: Display.number(plan),
        difference: Display.signed(difference), isBehind: difference < 0)
    }
  }

  private static func monthRows(_ report: UserReport, isPage: Bool) -> [MonthRow] {
    zip(report.months, report.monthlyHeld).enumerated().map { index, item in
      let (month, held) = item
      let over = month.used + held - report.usage.monthlySoftLimit
      return MonthRow(
        monthName: Day.monthNames[index],
        address: isPage ? report.address(month: index + 1) : nil,
        isChosen: report.month == index + 1, generation: Display.number(month.generation),
        regeneration: Display.number(month.regeneration), refund: Display.number(month.refund),
        used: Display.number(month.used), held: Display.number(held),
        over: over > 0 ? Display.signed(over) : "–", isOver: over > 0)
    }
  }

  private static func holdRows(_ plot: HoldsPlot) -> [HoldRow] {
    zip(plot.rows, HoldsPlot.ages).map { row, age in
      HoldRow(
        age: age.name, reservations: Display.number(Int64(row.reservations)),
        held: Display.number(row.held), dispatched: Display.number(row.dispatched),
        unresolved: Display.number(row.unresolved), credits: Display.number(row.credits),
        bar: plot.bar(row))
    }
  }

  private static func holdsSentence(_ report: UserReport) -> String {
    let open = report.open.elements
    guard let oldest = open.compactMap(\.createdAt).min(by: { $0.seconds < $1.seconds }) else {
      return "No reservation is open."
    }
    let credits = open.reduce(0) { $0 + Int64($1.held) }
    return (report.open.hasMore ? "The newest " : "")
      + "\(Display.count(Int64(open.count), "open reservation")) "
      + (open.count == 1 ? "holds" : "hold") + " \(Display.count(credits, "credit")); the oldest "
      + "was made \(TimeText.age(since: oldest, now: report.now)) ago."
  }
}

extension HoldsPlot.Hold {
  fileprivate init?(_ reservation: Reservation, _ now: Timestamp) {
    let state: State
    switch reservation.state {
    case .held: state = .held
    case .dispatched: state = .dispatched
    case .unresolved: state = .unresolved
    default: return nil
    }
    self.init(
      state: state, credits: Int64(reservation.held),
      age: now.seconds - (reservation.createdAt?.seconds ?? now.seconds))
  }
}

extension UserModel.Links {
  fileprivate init(_ report: UserReport) {
    func address(_ table: UserPage.Table) -> String {
      report.address(month: report.month, csv: table)
    }
    days = address(.days)
    months = address(.months)
    reservations = address(.reservations)
    ledger = address(.ledger)
    mockups = address(.mockups)
    wholeYear = report.address()
  }
}

extension UserReport {
  /// Returns the address of the page of the user.
  func address(year: Int? = nil, month: Int? = nil, csv: UserPage.Table? = nil) -> String {
    var items = [("year", "\(year ?? self.year)")]
    if let month { items.append(("month", "\(month)")) }
    if let csv { items += [("table", csv.rawValue), ("format", "csv")] }
    return "/users/\(userID)?" + Address.query(items)
  }
}
