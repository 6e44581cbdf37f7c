public import MockupClient

/// A page of the unresolved reservations of all users, the oldest first.
public struct StuckPage: Sendable {
  /// The reservations, in the order of the server.
  public var reservations: [UnresolvedReservation]
  /// The number of unresolved reservations on all pages.
  public var total: Int64
  /// The path to the page.
  public var path: PagePath
  /// The page token of the next page; empty on the last page.
  public var nextToken: String
  /// The time of the page.
  public var now: Timestamp
  /// A message about a resolution that was just made; empty if there was none.
  public var notice: String

  /// Creates the page.
  public init(
    reservations: [UnresolvedReservation], total: Int64, path: PagePath = PagePath(),
    nextToken: String = "", now: Timestamp, notice: String = ""
  ) {
    self.reservations = reservations
    self.total = total
    self.path = path
    self.nextToken = nextToken
    self.now = now
    self.notice = notice
  }

  /// Returns the message on a reservation that was just resolved; empty if it is not settled.
  public static func notice(on reservation: Reservation) -> String {
    let name = "Reservation \(reservation.reservationID)"
    return switch reservation.state {
    case .committed:
      "\(name) is committed with \(Display.count(Int64(reservation.committed), "credit"))."
    case .released: "\(name) is released."
    default: ""
    }
  }

  /// The title of the page.
  public static let title = "Unresolved reservations"

  /// Returns the page as HTML.
  public func html(in frame: PageFrame) -> String {
    Templates.render(StuckModel(self, frame), with: "stuck")
  }

  /// The reservations as comma-separated values, with a header line.
  public var csv: String {
    let header = [
      "user_id", "user_label", "reservation_id", "unresolved_since", "held", "operation",
      "created_at", "dispatched_at", "mockup_id",
    ]
    return CSV.line(header.map { .text($0) })
      + reservations.map { stuck in
        let reservation = stuck.reservation ?? Reservation()
        return CSV.line([
          .text(reservation.userID), .text(stuck.userLabel), .text(reservation.reservationID),
          .text(TimeText.machine(stuck.unresolvedSince)), .number(Int64(reservation.held)),
          .text(reservation.operation.text), .text(TimeText.machine(reservation.createdAt)),
          .text(TimeText.machine(reservation.dispatchedAt)), .text(reservation.mockupID),
        ])
      }.joined()
  }
}

/// The values that the template of the unresolved reservations shows.
private struct StuckModel {
  struct Row {
    var user: UserName
    var shortID: String
    var id: String
    var since: String
    var age: String
    var isOld: Bool
    var credits: String
    var operation: String
    var dispatched: String
    var resolveAddress: String
  }

  var frame: PageFrame
  var notice: String?
  var lead: String
  var rows: [Row]
  var hasRows: Bool
  var pages: PageLinks?
  var csvAddress: String

  init(_ page: StuckPage, _ frame: PageFrame) {
    self.frame = frame
    notice = page.notice.isEmpty ? nil : page.notice
    lead = Self.lead(page)
    rows = page.reservations.map { Row($0, page.now) }
    hasRows = !rows.isEmpty
    pages = PageLinks(page.path, nextToken: page.nextToken) { Self.address($0) }
    csvAddress = Self.address(page.path, format: "csv")
  }

  private static func lead(_ page: StuckPage) -> String {
    guard let oldest = page.reservations.first?.unresolvedSince else {
      guard !page.path.token.isEmpty else { return "No reservation is unresolved." }
      let total = Display.count(page.total, "reservation")
      return "This page has no reservations any more; \(total) "
        + "\(page.total == 1 ? "is" : "are") unresolved."
    }
    let credits = page.reservations.reduce(0) { $0 + Int64($1.reservation?.held ?? 0) }
    let count = Int64(page.reservations.count)
    let held = "\(count == 1 ? "holds" : "hold") \(Display.count(credits, "credit"))"
    let age =
      "has been unresolved for \(TimeText.age(since: oldest, now: page.now)), since "
      + "\(TimeText.minute(oldest))"
    if page.path.token.isEmpty, page.nextToken.isEmpty {
      if count == 1 { return "1 reservation \(held), and \(age)." }
      return "\(Display.count(count, "reservation")) \(held); the oldest \(age)."
    }
    // The total was counted by another call.
    return "\(Display.count(max(page.total, count), "reservation")) are unresolved; the oldest "
      + "\(page.path.token.isEmpty ? "" : "of this page ")\(age). The \(count) of this page "
      + "\(held)."
  }

  private static func address(_ path: PagePath, format: String? = nil) -> String {
    var items: [(String, String)] = []
    if !path.token.isEmpty { items.append(("page", path.text)) }
    if let format { items.append(("format", format)) }
    return items.isEmpty ? "/stuck" : "/stuck?" + Address.query(items)
  }
}

extension StuckModel.Row {
  fileprivate init(_ stuck: UnresolvedReservation, _ now: Timestamp) {
    let reservation = stuck.reservation ?? Reservation()
    let since = stuck.unresolvedSince ?? now
    user = UserName(id: reservation.userID, label: stuck.userLabel)
    shortID = Display.short(reservation.reservationID)
    id = reservation.reservationID
    self.since = TimeText.minute(since)
    age = TimeText.age(since: since, now: now)
    isOld = now.seconds - since.seconds > 86_400
    credits = Display.number(Int64(reservation.held))
    operation = reservation.operation.text
    dispatched = TimeText.minute(reservation.dispatchedAt)
    resolveAddress = "/stuck/\(reservation.userID)/\(reservation.reservationID)"
  }
}
