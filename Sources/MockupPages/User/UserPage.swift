internal import MockupClient

/// The page of a user: credits of the year, months, holds, ledger and mockups.
public struct UserPage: Sendable {
  /// A table of the page, as a file of comma-separated values.
  public enum Table: String, Sendable, CaseIterable {
    /// The credits of each day of the year, or of the chosen month.
    case days
    /// The credits of each month of the year.
    case months
    /// The open reservations.
    case reservations
    /// The ledger entries.
    case ledger
    /// The mockups.
    case mockups
  }

  /// The form in which the page is shown.
  public enum Form: Sendable {
    /// A page of the console, with links to other pages and with images.
    case page
    /// A file that loads nothing, without links to the console.
    case file
  }

  /// The report that the page shows.
  public var report: UserReport

  /// Creates the page.
  public init(_ report: UserReport) {
    self.report = report
  }

  /// The title of the page.
  public var title: String {
    "User \(UserName(id: report.userID, label: report.userLabel).text)"
  }

  /// Returns the page as HTML.
  public func html(in frame: PageFrame, as form: Form = .page) -> String {
    Templates.render(UserModel(report, frame, form), with: "user")
  }

  /// Returns a table of the page as comma-separated values, with a header line.
  public func csv(_ table: Table) -> String {
    switch table {
    case .days: intervals(report.month.map(days) ?? report.days, name: "day", length: 10)
    case .months: intervals(report.months, name: "month", length: 7)
    case .reservations: reservations
    case .ledger: ledger
    case .mockups: mockups
    }
  }

  private func days(of month: Int) -> [UsageInterval] {
    report.days.filter { $0.firstDay?.month == Int32(month) }
  }

  private func intervals(_ intervals: [UsageInterval], name: String, length: Int) -> String {
    let names = [name, "generation", "regeneration", "refund", "used", "reserved", "released"]
    return lines(names, intervals) { interval in
      let day = interval.firstDay?.dayNumber.map { Day(number: $0).isoText } ?? ""
      return [.text(String(day.prefix(length)))]
        + [
          interval.generation, interval.regeneration, interval.refund, interval.used,
          interval.reserved, interval.released,
        ].map { .number($0) }
    }
  }

  private var reservations: String {
    let names = [
      "reservation_id", "state", "operation", "credits", "granted", "held", "committed",
      "created_at", "expires_at", "dispatched_at", "mockup_id", "group_id",
    ]
    return lines(names, report.reservations.elements) { reservation in
      [
        .text(reservation.reservationID), .text(reservation.state.text),
        .text(reservation.operation.text), .number(Int64(reservation.credits)),
        .number(Int64(reservation.granted)), .number(Int64(reservation.held)),
        .number(Int64(reservation.committed)), .text(TimeText.machine(reservation.createdAt)),
        .text(TimeText.machine(reservation.expiresAt)),
        .text(TimeText.machine(reservation.dispatchedAt)), .text(reservation.mockupID),
        .text(reservation.groupID),
      ]
    }
  }

  private var ledger: String {
    let names = [
      "year", "month", "sequence", "operation", "credits", "balance_before", "balance_after",
      "created_at", "reservation_id", "mockup_id", "late", "overrun", "refunded_entry_id",
      "entry_id",
    ]
    return lines(names, report.entries.elements) { entry in
      [
        .number(Int64(entry.year)), .number(Int64(entry.month)), .number(entry.sequence),
        .text(entry.operation.text), .number(Int64(entry.credits)),
        .number(Int64(entry.balanceBefore)), .number(Int64(entry.balanceAfter)),
        .text(TimeText.machine(entry.createdAt)), .text(entry.reservationID),
        .text(entry.mockupID), .text(entry.late ? "true" : "false"),
        .number(Int64(entry.overrun)), .text(entry.refundedEntryID), .text(entry.entryID),
      ]
    }
  }

  private var mockups: String {
    let names = [
      "mockup_id", "scene", "status", "credits_used", "created_at", "updated_at", "file_url",
      "thumbnail_url", "error_message",
    ]
    return lines(names, report.mockups.elements) { mockup in
      [
        .text(mockup.mockupID), .text(mockup.scene), .text(mockup.status.text),
        .number(Int64(mockup.creditsUsed)), .text(TimeText.machine(mockup.createdAt)),
        .text(TimeText.machine(mockup.updatedAt)), .text(mockup.fileURL),
        .text(mockup.thumbnailURL), .text(mockup.errorMessage),
      ]
    }
  }

  private func lines<Element>(
    _ names: [String], _ elements: [Element], _ record: (Element) -> [CSV.Value]
  ) -> String {
    CSV.line(names.map { .text($0) }) + elements.map { CSV.line(record($0)) }.joined()
  }
}
