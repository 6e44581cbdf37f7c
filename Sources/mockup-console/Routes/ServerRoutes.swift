internal import Hummingbird
internal import HummingbirdCore
internal import MockupClient
internal import MockupPages

/// The page of the server's state.
struct ServerRoutes: Sendable {
  let client: MockupClient

  func add(to router: Router<ConsoleContext>) {
    router.get("/server") { request, context in
      let fields = try FormFields(request.uri.query ?? "")
      let start = ContinuousClock.now
      let info = try await client.admin.serverInfo()
      let page = ServerPage(info: info, callTime: start.duration(to: .now))
      if fields["format"] == "csv" { return Response.csv(page.csv, name: "server") }
      return .page(
        page.html(in: .page(ServerPage.title, in: .server, identity: context.visitor?.name)))
    }
  }
}
