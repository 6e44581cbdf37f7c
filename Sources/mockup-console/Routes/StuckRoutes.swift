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

  /// The number of reservations on a page.
  private static let pageSize = 100

  func add(to router: Router<ConsoleContext>) {
    router.get("/stuck") { request, context in
      let fields = try FormFields(request.uri.query ?? "")
      let page = try await page(
        PagePath(fields["page"] ?? ""), notice: try await notice(of: fields))
      if fields["format"] == "csv" { return Response.csv(page.csv, name: "unresolved") }
      return .page(
        page.html(in: .page(StuckPage.title, in: .stuck, identity: context.visitor?.name)))
    }
    router.get("/stuck/{user}/{reservation}") { request, context in
      let fields = try FormFields(request.uri.query ?? "")
      let user = try context.parameters.id("user")
      let reservation = try await client.credits.reservation(
        try context.parameters.id("reservation"), of: user)
      let page = ResolvePage(
        reservation: reservation, userLabel: try await label(of: user),
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
    return .seeOther("/stuck?user=\(user.wireText)&resolved=\(id.wireText)")
  }

  private func page(_ path: PagePath, notice: String) async throws -> StuckPage {
    async let info = client.admin.serverInfo()
    let page = try await client.admin.unresolvedReservationsPage(
      count: Self.pageSize, after: path.token)
    return StuckPage(
      reservations: page.reservations, total: try await info.unresolvedReservations, path: path,
      nextToken: page.nextPageToken, now: .now, notice: notice)
  }

  /// Returns the message on the reservation that the address says is resolved; empty if it is not.
  ///
  /// Any page can link to the address, so the message states what mockupd says.
  private func notice(of fields: FormFields) async throws -> String {
    guard let user = fields["user"].flatMap({ UUID(wireText: $0) }),
      let id = fields["resolved"].flatMap({ UUID(wireText: $0) })
    else { return "" }
    do throws(RPCError) {
      return StuckPage.notice(on: try await client.credits.reservation(id, of: user))
    } catch {
      guard error.code == .notFound else { throw error }
      return ""
    }
  }

  private func label(of user: UUID) async throws -> String {
    let today = Day.today
    let page = try await client.admin.usageReportPage(
      year: today.year, month: today.month, user: user, count: 1)
    return page.users.first?.userLabel ?? ""
  }
}
