internal import MockupClient

/// The values that the template of the page of all users shows.
struct UsersModel {
  struct Heading {
    var text: String
    var address: String
    var sorts: Bool
    var isNumber: Bool
  }

  struct Row {
    var user: UserName
    var address: String
    var bar: String
    var used: String
    var held: String
    var budget: String
    var available: String
    var percent: String
    var monthUsed: String
    var softLimit: String
    var isAboveSoftLimit: Bool
    var unresolved: String?
    var outOn: String
    var isFirst: Bool
    var isExhausted: Bool
  }

  struct Choice {
    var value: String
    var text: String
    var isChosen: Bool
  }

  struct First {
    var user: UserName
    var address: String
    var sentence: String
  }

  var frame: PageFrame
  var search: String
  var year: String
  var months: [Choice]
  var orders: [Choice]
  var monthName: String
  var rows: [Row]
  var count: String
  var hasRows: Bool
  var showsForecast: Bool
  var first: First?
  /// A Boolean value that indicates whether the page begins with the users who run out first.
  var isFirstOfAll: Bool
  var exhausted: String?
  var month: String
  var total: String
  var stuck: String?
  var pages: PageLinks?
  var csvAddress: String

  init(_ page: UsersPage, _ frame: PageFrame) {
    let query = page.query
    self.frame = frame
    search = query.search
    year = String(query.year)
    monthName = Day.monthNames[query.month - 1]
    months = (1...12).map {
      Choice(value: "\($0)", text: Day.monthNames[$0 - 1], isChosen: $0 == query.month)
    }
    orders = UsersQuery.Order.allCases.map {
      Choice(value: $0.rawValue, text: $0.text, isChosen: $0 == query.order)
    }
    let firstOut = page.users.compactMap { user in
      page.forecast(user)?.day.map { (day: $0, user: user) }
    }.min { $0.day < $1.day }
    rows = page.users.map { user in
      Row(user, page.forecast(user), query, isFirst: firstOut?.user.line.userID == user.line.userID)
    }
    hasRows = !rows.isEmpty
    showsForecast = page.users.contains { $0.spent != nil }
    let totals = page.totals
    count =
      query.search.isEmpty
      ? Display.count(totals.users, "user")
      : Display.count(Int64(rows.count), "user") + " found"
        + (page.isCut ? "; others are not shown" : "")
    isFirstOfAll =
      query.search.isEmpty && query.path.token.isEmpty && query.order == .available
    first = firstOut.map { day, user in
      let usage = user.line.usage ?? CreditUsage()
      let left = usage.annualBudget - usage.totalUsed - usage.held
      return First(
        user: UserName(user.line), address: "/users/\(user.line.userID)",
        sentence: "on \(day.text), with \(Display.count(left, "credit")) left")
    }
    let exhaustedCount = page.users.filter { page.forecast($0) == .exhausted }.count
    exhausted =
      exhaustedCount == 0
      ? nil
      : "\(Display.count(Int64(exhaustedCount), "user")) on this page "
        + "\(exhaustedCount == 1 ? "has" : "have") no credits left."
    month =
      "\(Display.count(totals.monthlyUsed, "credit")) used in \(monthName) \(query.year); "
      + "\(Display.count(totals.usersAboveSoftLimit, "user")) above the month\u{2019}s soft limit."
    total =
      "\(Display.number(totals.used)) used and \(Display.number(totals.held)) held "
      + "of \(Display.count(totals.annualBudget, "credit"))."
    stuck =
      totals.unresolvedReservations == 0
      ? nil : Display.count(totals.unresolvedReservations, "reservation") + " unresolved"
    pages = PageLinks(query.path, nextToken: page.nextToken) { query.address(path: $0) }
    csvAddress = query.address(path: query.path, format: "csv")
  }
}

extension UsersModel.Row {
  fileprivate init(
    _ user: UsersPage.User, _ forecast: Forecast?, _ query: UsersQuery, isFirst: Bool
  ) {
    let usage = user.line.usage ?? CreditUsage()
    let available = usage.annualBudget - usage.totalUsed - usage.held
    self.user = UserName(user.line)
    address = "/users/\(user.line.userID)?" + Address.query([("year", "\(query.year)")])
    bar = BudgetBar.markup(used: usage.totalUsed, held: usage.held, budget: usage.annualBudget)
    used = Display.number(usage.totalUsed)
    held = Display.number(usage.held)
    budget = Display.number(usage.annualBudget)
    self.available = Display.number(available)
    percent = Display.percent(usage.totalUsed + usage.held, of: usage.annualBudget)
    monthUsed = Display.number(usage.monthlyUsed + usage.monthlyHeld)
    softLimit = Display.number(usage.monthlySoftLimit)
    isAboveSoftLimit = usage.softLimitPassed
    unresolved =
      user.line.unresolvedReservations > 0
      ? Display.number(Int64(user.line.unresolvedReservations)) : nil
    outOn = forecast?.cell ?? ""
    self.isFirst = isFirst
    isExhausted = available <= 0
  }
}

extension UserName {
  init(_ line: UserUsage) {
    self.init(id: line.userID, label: line.userLabel)
  }
}

extension UsersQuery.Order {
  fileprivate var text: String {
    switch self {
    case .available: "Fewest available"
    case .used: "Most used"
    case .held: "Most held"
    case .month: "Most used in the month"
    case .user: "User id"
    }
  }
}
