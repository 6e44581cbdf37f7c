internal import MockupClient

/// A name and a number of a summary.
struct Fact {
  var name: String
  var value: String
  var isBad = false

  static func all(_ report: UserReport) -> [Fact] {
    let usage = report.usage
    let plot = report.burnDown
    var facts = [
      Fact(name: "Budget", value: Display.number(usage.annualBudget)),
      Fact(
        name: "Used",
        value: "\(Display.number(usage.totalUsed)) "
          + "(\(Display.percent(usage.totalUsed, of: usage.annualBudget)))"),
      Fact(name: "Held", value: Display.number(usage.held)),
      Fact(
        name: "Available", value: Display.number(report.available), isBad: report.available <= 0),
    ]
    if let left = plot.left.last, report.spent != nil {
      let plan = Display.rounded(plot.plan(after: plot.elapsed))
      facts.append(
        Fact(
          name: left < plan ? "Behind the straight line" : "Ahead of the straight line",
          value: Display.number(Int64((left - plan).magnitude)), isBad: left < plan))
    }
    if let spent = report.spent {
      facts.append(Fact(name: "Last \(Forecast.days) days", value: Display.number(spent)))
    }
    return facts
  }
}

/// The month that is shown by day.
struct ChosenMonth {
  struct DayRow {
    var day: String
    var generation: String
    var regeneration: String
    var refund: String
    var used: String
  }

  var name: String
  var sentence: String
  var isOver: Bool
  var details: String
  var plot: String
  var rows: [DayRow]
  var closing: String?

  init(_ report: UserReport, month: Int) {
    name = "\(Day.monthNames[month - 1]) \(report.year)"
    let interval = report.months[month - 1]
    let held = report.monthlyHeld[month - 1]
    let limit = report.usage.monthlySoftLimit
    let over = interval.used + held - limit
    isOver = over > 0
    sentence =
      "\(Display.count(interval.used, "credit")) used"
      + (held > 0 ? " and \(Display.number(held)) held" : "") + ", "
      + (over > 0
        ? "\(Display.number(over)) above" : "\(Display.number(-over)) below")
      + " the soft limit of \(Display.number(limit))."
    let days = report.days.filter { $0.firstDay?.month == Int32(month) }
    let busiest = days.max { $0.used < $1.used }
    details =
      "\(Display.number(interval.generation)) for generations, "
      + "\(Display.number(interval.regeneration)) for regenerations, "
      + "\(Display.number(interval.refund)) refunded."
      + (busiest.flatMap { day in
        day.used > 0
          ? " The busiest day was the \(Self.ordinal(Int(day.firstDay?.day ?? 0))), with "
            + "\(Display.count(day.used, "credit"))." : nil
      } ?? "")
    plot = DaysPlot(year: report.year, month: month, used: days.map(\.used)).markup
    rows = days.map {
      DayRow(
        day: "\($0.firstDay?.day ?? 0)", generation: Display.number($0.generation),
        regeneration: Display.number($0.regeneration), refund: Display.number($0.refund),
        used: Display.number($0.used))
    }
    closing =
      days.reduce(0) { $0 + $1.used } == interval.used
      ? nil
      : "The days do not add up to the month: refunds count in the month of their charge, and a "
        + "reservation in the month in which it was made."
  }

  static func ordinal(_ number: Int) -> String {
    let suffix: String
    switch (number % 10, number % 100) {
    case (_, 11...13): suffix = "th"
    case (1, _): suffix = "st"
    case (2, _): suffix = "nd"
    case (3, _): suffix = "rd"
    default: suffix = "th"
    }
    return "\(number)\(suffix)"
  }
}

/// A reservation in a table.
struct ReservationRow {
  var shortReservationID: String
  var reservationID: String
  var state: String
  var isUnresolved: Bool
  var resolveAddress: String?
  var operation: String
  var credits: String
  var made: String
  var age: String
  var expires: String

  init(_ reservation: Reservation, _ now: Timestamp, isPage: Bool) {
    reservationID = reservation.reservationID
    shortReservationID = Display.short(reservationID)
    state = reservation.state.text
    isUnresolved = reservation.state == .unresolved
    resolveAddress =
      isPage && isUnresolved ? "/stuck/\(reservation.userID)/\(reservation.reservationID)" : nil
    operation = reservation.operation.text
    credits = Display.number(Int64(reservation.held))
    made = TimeText.minute(reservation.createdAt)
    age = reservation.createdAt.map { TimeText.age(since: $0, now: now) } ?? "–"
    expires = TimeText.minute(reservation.expiresAt)
  }
}

/// A ledger entry in a table.
struct EntryRow {
  var sequence: String
  var written: String
  var operation: String
  var isRefund: Bool
  var credits: String
  var before: String
  var after: String
  var period: String
  var reservation: String
  var remark: String

  init(_ entry: CreditUsageEntry) {
    isRefund = entry.operation == .refund
    sequence = Display.number(entry.sequence)
    written = TimeText.minute(entry.createdAt)
    operation = entry.operation.text
    credits = (isRefund ? "\u{2212}" : "") + Display.number(Int64(entry.credits))
    before = Display.number(Int64(entry.balanceBefore))
    after = Display.number(Int64(entry.balanceAfter))
    let month = (1...12).contains(entry.month) ? Day.monthNames[Int(entry.month) - 1] : "–"
    period = "\(month.prefix(3)) \(entry.year)"
    reservation = entry.reservationID.isEmpty ? "–" : Display.short(entry.reservationID)
    remark = [
      entry.late ? "late" : nil, entry.overrun > 0 ? "overrun of \(entry.overrun)" : nil,
    ].compactMap { $0 }.joined(separator: ", ")
  }
}

/// A mockup in the gallery.
struct MockupRow {
  var scene: String
  var status: String
  var isFailed: Bool
  var cost: String
  var made: String
  var imageAddress: String?
  var linkAddress: String?
  var explanation: String?

  init(_ mockup: Mockup, isPage: Bool) {
    scene = mockup.scene
    status = mockup.status.text
    isFailed = mockup.status == .failed || mockup.status == .rejected
    cost = Display.count(Int64(mockup.creditsUsed), "credit")
    made = TimeText.minute(mockup.createdAt)
    let image = mockup.thumbnailURL.isEmpty ? mockup.fileURL : mockup.thumbnailURL
    imageAddress = isPage && Self.isSecure(image) ? image : nil
    linkAddress = Self.isSecure(mockup.fileURL) ? mockup.fileURL : nil
    explanation = mockup.errorMessage.isEmpty ? nil : mockup.errorMessage
  }

  /// Returns true for an address with https, the only scheme that pages load or link to.
  ///
  /// Addresses come from workers; one with another scheme could run a script.
  static func isSecure(_ address: String) -> Bool {
    address.lowercased().hasPrefix("https://")
  }
}
