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
  var user: UserName
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
  var reservationsPages: PageLinks?
  var entriesTitle: String
  var entries: [EntryRow]
  var hasEntries: Bool
  var entriesPages: PageLinks?
  var mockups: [MockupRow]
  var hasMockups: Bool
  var mockupsPages: PageLinks?

  var captions: Captions

  /// The captions of the lists, which say what part of a list is shown.
  struct Captions {
    var reservations: String
    var entries: String
    var mockups: String

    init(_ report: UserReport) {
      reservations =
        Self.text("Open reservations", report.pages.reservations, report.reservations)
      entries = Self.text("Entries", report.pages.ledger, report.entries)
      mockups = Self.text("Mockups", report.pages.mockups, report.mockups)
    }

    private static func text<Element>(
      _ name: String, _ path: PagePath, _ part: UserReport.Part<Element>
    ) -> String {
      if !path.token.isEmpty { return "\(name), continued, the newest first" }
      if part.nextToken.isEmpty { return "\(name), the newest first" }
      return "The newest \(part.elements.count) \(name.lowercased())"
    }
  }

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
    user = UserName(id: report.userID, label: report.userLabel)
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
    reservations = report.reservations.elements.map {
      ReservationRow($0, report.now, isPage: isPage)
    }
    reservationsPages =
      isPage
      ? PageLinks(report.pages.reservations, nextToken: report.reservations.nextToken) {
        report.address(\.reservations, $0, "holds-heading")
      } : nil
    entriesTitle =
      report.month.map { "Ledger of \(Day.monthNames[$0 - 1]) \(report.year)" }
      ?? "Ledger of \(report.year)"
    entries = report.entries.elements.map { EntryRow($0) }
    hasEntries = !entries.isEmpty
    entriesPages =
      isPage
      ? PageLinks(report.pages.ledger, nextToken: report.entries.nextToken) {
        report.address(\.ledger, $0, "ledger-heading")
      } : nil
    mockups = report.mockups.elements.map { MockupRow($0, isPage: isPage) }
    hasMockups = !mockups.isEmpty
    mockupsPages =
      isPage
      ? PageLinks(report.pages.mockups, nextToken: report.mockups.nextToken) {
        report.address(\.mockups, $0, "mockups-heading")
      } : nil
    captions = Captions(report)
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
    return (report.open.nextToken.isEmpty ? "" : "The newest ")
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
    days = report.address(csv: .days)
    months = report.address(csv: .months)
    reservations = report.address(csv: .reservations)
    ledger = report.address(csv: .ledger)
    mockups = report.address(csv: .mockups)
    wholeYear = report.address()
  }
}

extension UserReport {
  /// Returns the address of the page of the user, with the first page of each list.
  func address(year: Int? = nil, month: Int? = nil) -> String {
    address(year: year ?? self.year, month: month, pages: Pages(), [])
  }

  /// Returns the address of a table of this page as a file.
  func address(csv table: UserPage.Table) -> String {
    address(
      year: year, month: month, pages: pages, [("table", table.rawValue), ("format", "csv")])
  }

  /// Returns the address of this page with another page of a list, which the browser scrolls to.
  func address(
    _ list: WritableKeyPath<Pages, PagePath>, _ path: PagePath, _ id: String
  ) -> String {
    var pages = pages
    pages[keyPath: list] = path
    return address(year: year, month: month, pages: pages, []) + "#\(id)"
  }

  private func address(
    year: Int, month: Int?, pages: Pages, _ others: [(String, String)]
  ) -> String {
    var items = [("year", "\(year)")]
    if let month { items.append(("month", "\(month)")) }
    let paths = [
      ("reservations", pages.reservations), ("ledger", pages.ledger), ("mockups", pages.mockups),
    ]
    for (name, path) in paths where !path.token.isEmpty { items.append((name, path.text)) }
    return "/users/\(userID)?" + Address.query(items + others)
  }
}
