public import MockupClient

/// The page on which an administrator resolves a reservation: first the number of credits, then the
/// confirmation.
public struct ResolvePage: Sendable {
  /// The reservation.
  public var reservation: Reservation
  /// The label of its user; empty if there is none.
  public var userLabel: String
  /// The credits that the vendor charged; `nil` until they were entered.
  public var credits: Int?
  /// The token that the form must contain.
  public var formToken: String
  /// The time of the page.
  public var now: Timestamp

  /// Creates the page.
  public init(
    reservation: Reservation, userLabel: String, credits: Int?, formToken: String, now: Timestamp
  ) {
    self.reservation = reservation
    self.userLabel = userLabel
    self.credits = credits
    self.formToken = formToken
    self.now = now
  }

  /// The title of the page.
  public static let title = "Resolve a reservation"

  /// Returns the page as HTML.
  public func html(in frame: PageFrame) -> String {
    Templates.render(ResolveModel(self, frame), with: "resolve")
  }
}

/// The values that the template of a resolution shows.
private struct ResolveModel {
  struct Confirmation {
    var chosen: String
    var sentence: String
    var button: String
    var token: String
  }

  var frame: PageFrame
  var address: String
  var userAddress: String
  var userID: String
  var userLabel: String?
  var reservationID: String
  var state: String
  var isUnresolved: Bool
  var held: String
  var heldNumber: String
  var operation: String
  var made: String
  var dispatched: String
  var expired: String
  var mockupID: String?
  var confirmation: Confirmation?

  init(_ page: ResolvePage, _ frame: PageFrame) {
    let reservation = page.reservation
    self.frame = frame
    address = "/stuck/\(reservation.userID)/\(reservation.reservationID)"
    userAddress = "/users/\(reservation.userID)"
    userID = reservation.userID
    userLabel = page.userLabel.isEmpty ? nil : page.userLabel
    reservationID = reservation.reservationID
    state = reservation.state.text
    isUnresolved = reservation.state == .unresolved
    held = Display.count(Int64(reservation.held), "credit")
    heldNumber = "\(reservation.held)"
    operation = reservation.operation.text
    made = TimeText.minute(reservation.createdAt)
    dispatched = TimeText.minute(reservation.dispatchedAt)
    expired = TimeText.minute(reservation.expiresAt)
    mockupID = reservation.mockupID.isEmpty ? nil : reservation.mockupID
    confirmation = page.credits.map { credits in
      let rest = Int64(reservation.held) - Int64(credits)
      let charge = Display.count(Int64(credits), "credit")
      return Confirmation(
        chosen: "\(credits)",
        sentence: credits == 0
          ? "Nothing is charged, and \(Display.count(rest, "held credit")) "
            + "\(rest == 1 ? "becomes" : "become") available again."
          : "\(charge) \(credits == 1 ? "is" : "are") charged to the user, and "
            + "\(Display.count(rest, "held credit")) \(rest == 1 ? "becomes" : "become") "
            + "available again.",
        button: credits == 0 ? "Release all" : "Charge \(charge)", token: page.formToken)
    }
  }
}
