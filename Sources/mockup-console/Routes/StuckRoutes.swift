internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import MockupClient
internal import MockupPages

/// The pages of the unresolved reservations, and their resolution, the only write of the console.
struct StuckRoutes: Sendable {
  let client: MockupClient
  let formCheck: FormCheck
  let logger: Logger

  /// The maximum number of reservations on the page.
  private static let maximumCount = 500

  func add(to router: Router<ConsoleContext>) {
    router.get("/stuck") { request, context in
      let fields = try FormFields(request.uri.query ?? "")
      let page = try await page(notice: fields["resolved"])
      if fields["format"] == "csv" { return Response.csv(page.csv, name: "unresolved") }
      return .page(
        page.html(in: .page(StuckPage.title, in: .stuck, identity: context.visitor?.name)))
    }
    router.get("/stuck/{user}/{reservation}") { request, context in
      let fields = try FormFields(request.uri.query ?? "")
      let reservation = try await client.credits.reservation(
        try context.parameters.id("reservation"), of: try context.parameters.id("user"))
      let page = ResolvePage(
        reservation: reservation,
        credits: try fields.number("credits", in: 0...Int(max(reservation.held, 0))),
        formToken: context.visitor?.formToken ?? "", now: .now)
      return Response.page(
        page.html(in: .page(ResolvePage.title, in: .stuck, identity: context.visitor?.name)))
    }
    router.post("/stuck/{user}/{reservation}") { request, context in
      try await resolve(request, context)
    }
  }

  private func resolve(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    let fields = try await formCheck.fields(of: request, from: context.visitor)
    let user = try context.parameters.id("user")
    let id = try context.parameters.id("reservation")
    guard let credits = try fields.number("credits", in: 0...Int(Int32.max)) else {
      throw Failure.badRequest("credits is missing")
    }
    let response = try await client.admin.resolve(id, of: user, credits: credits)
    logger.notice(
      "resolved a reservation",
      metadata: [
        "user": "\(user.wireText)", "reservation": "\(id.wireText)", "credits": "\(credits)",
        "by": "\(context.visitor?.logName ?? "")", "replayed": "\(response.replayed)",
      ])
    return .seeOther("/stuck?resolved=\(id.wireText)")
  }

  private func page(notice id: String?) async throws -> StuckPage {
    var found: [StuckReservation] = []
    var hasMore = false
    // The users with unresolved reservations are found in the report on all users.
    let report = try client.admin.usageReport()
    var remaining = try await report.totals().unresolvedReservations
    for try await line in report where remaining > 0 && line.unresolvedReservations > 0 {
      remaining -= Int64(line.unresolvedReservations)
      guard let user = UUID(wireText: line.userID) else { continue }
      for try await reservation in client.credits.reservations(of: user, in: [.unresolved]) {
        guard found.count < Self.maximumCount else {
          hasMore = true
          break
        }
        found.append(
          StuckReservation(
            reservation: reservation, since: reservation.expiresAt ?? Timestamp()))
      }
    }
    let resolved = id.flatMap { UUID(wireText: $0) }
    return StuckPage(
      reservations: found, hasMore: hasMore, now: .now,
      notice: resolved.map { "Reservation \($0.wireText) is resolved." } ?? "")
  }
}
