internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import MockupClient
internal import MockupPages

/// The page of a user.
struct UserRoutes: Sendable {
  let client: MockupClient

  func add(to router: Router<ConsoleContext>) {
    router.get("/users/{user}") { request, context in
      let user = try context.parameters.id("user")
      let fields = try FormFields(request.uri.query ?? "")
      let now = Timestamp.now
      let report = try await UserReport.load(
        client, user: user, year: try fields.number("year", in: 1...9999) ?? Day(now).year,
        month: try fields.number("month", in: 1...12),
        pages: UserReport.Pages(
          reservations: PagePath(fields["reservations"] ?? ""),
          ledger: PagePath(fields["ledger"] ?? ""), mockups: PagePath(fields["mockups"] ?? "")),
        now: now)
      let page = UserPage(report)
      if fields["format"] == "csv" {
        guard let table = UserPage.Table(rawValue: fields["table"] ?? "months") else {
          throw Failure.badRequest("there is no such table")
        }
        return Response.csv(page.csv(table), name: "\(user.wireText)-\(table.rawValue)")
      }
      return .page(
        page.html(in: .page(page.title, in: .users, identity: context.visitor?.name)))
    }
  }
}

extension Parameters {
  /// Returns a part of the path that is an id.
  ///
  /// - Throws: `Failure.notFound` if it is not a UUID.
  func id(_ name: String) throws(Failure) -> UUID {
    guard let id = get(name).flatMap({ UUID(wireText: $0) }) else { throw .notFound }
    return id
  }
}

extension Timestamp {
  /// The current time.
  static var now: Timestamp { Timestamp(Date()) }
}
