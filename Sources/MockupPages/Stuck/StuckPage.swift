public import MockupClient

/// An unresolved reservation.
public struct StuckReservation: Sendable {
  /// The reservation.
  public var reservation: Reservation
  /// The time since which it is unresolved.
  public var since: Timestamp

  /// Creates an unresolved reservation.
  public init(reservation: Reservation, since: Timestamp) {
    self.reservation = reservation
    self.since = since
  }
}

/// The page of the unresolved reservations of all users, the oldest first.
public struct StuckPage: Sendable {
  /// The reservations.
  public var reservations: [StuckReservation]
  /// A Boolean value that indicates whether there are more reservations.
  public var hasMore: Bool
  /// The time of the page.
  public var now: Timestamp
  /// A message about a resolution that was just made; empty if there was none.
  public var notice: String

  /// Creates the page.
  public init(
    reservations: [StuckReservation], hasMore: Bool = false, now: Timestamp, notice: String = ""
  ) {
    self.reservations = reservations.sorted {
      ($0.since.seconds, $0.since.nanos) < ($1.since.seconds, $1.since.nanos)
    }
    self.hasMore = hasMore
    self.now = now
    self.notice = notice
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
      "user_id", "reservation_id", "unresolved_since", "held", "operation", "created_at",
      "dispatched_at", "mockup_id",
    ]
    return CSV.line(header.map { .text($0) })
      + reservations.map { stuck in
        let reservation = stuck.reservation
        return CSV.line([
          .text(reservation.userID), .text(reservation.reservationID),
          .text(TimeText.machine(stuck.since)), .number(Int64(reservation.held)),
          .text(reservation.operation.text), .text(TimeText.machine(reservation.createdAt)),
          .text(TimeText.machine(reservation.dispatchedAt)), .text(reservation.mockupID),
        ])
      }.joined()
  }
}

/// The values that the template of the unresolved reservations shows.
private struct StuckModel {
  struct Row {
    var shortUserID: String
    var userID: String
    var userAddress: String
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
  var hasMore: Bool

  init(_ page: StuckPage, _ frame: PageFrame) {
    self.frame = frame
    notice = page.notice.isEmpty ? nil : page.notice
    let credits = page.reservations.reduce(0) { $0 + Int64($1.reservation.held) }
    let count = page.reservations.count
    if let oldest = page.reservations.first {
      lead =
        "\(Display.count(Int64(count), "reservation")) "
        + "\(count == 1 ? "holds" : "hold") \(Display.count(credits, "credit")); "
        + "the oldest has been unresolved for "
        + "\(TimeText.age(since: oldest.since, now: page.now)), since "
        + "\(TimeText.minute(oldest.since))."
    } else {
      lead = "No reservation is unresolved."
    }
    rows = page.reservations.map { stuck in
      let reservation = stuck.reservation
      return Row(
        shortUserID: Display.short(reservation.userID), userID: reservation.userID,
        userAddress: "/users/\(reservation.userID)",
        shortID: Display.short(reservation.reservationID), id: reservation.reservationID,
        since: TimeText.minute(stuck.since),
        age: TimeText.age(since: stuck.since, now: page.now),
        isOld: page.now.seconds - stuck.since.seconds > 86_400,
        credits: Display.number(Int64(reservation.held)), operation: reservation.operation.text,
        dispatched: TimeText.minute(reservation.dispatchedAt),
        resolveAddress: "/stuck/\(reservation.userID)/\(reservation.reservationID)")
    }
    hasRows = !rows.isEmpty
    hasMore = page.hasMore
  }
}
